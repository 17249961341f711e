"""What an account says of itself: its metrics and the account."""

from __future__ import annotations

from app.klaviyo.sandbox.accounts import Metric
from app.klaviyo.sandbox.answers import Answer, document
from app.klaviyo.sandbox.call import Call, iso
from app.klaviyo.sandbox.reads import Resource, conditions, listing, self_link, sparse

_INTEGRATION = {"object": "integration", "id": "0rG4eQ", "name": "API", "category": "API"}
_FILTERS = {"integration.name": frozenset({"equals"}), "integration.category": frozenset({"equals"})}


def metric_resource(call: Call, metric: Metric) -> Resource:
    """A metric as Klaviyo shows it."""
    return {
        "type": "metric",
        "id": metric.id,
        "attributes": {
            "name": metric.name,
            "created": iso(metric.created),
            "updated": iso(metric.created),
            "integration": _INTEGRATION,
        },
        "links": self_link(call, f"/api/metrics/{metric.id}"),
    }


def get_metrics(call: Call) -> Answer:
    """GET /api/metrics: every metric, 200 a page; there is no filter by name."""
    terms = conditions(call, _FILTERS)
    metrics = call.account.metrics.values() if all(term.holds("API") for term in terms) else ()
    return listing(call, metrics, lambda metric: metric_resource(call, metric), default=200, maximum=200)


def get_accounts(call: Call) -> Answer:
    """GET /api/accounts: the one account that the key opens."""
    account = call.account
    address = {"address1": None, "address2": None, "city": None, "region": None, "country": "SE", "zip": None}
    resource: Resource = {
        "type": "account",
        "id": account.id,
        "attributes": {
            "test_account": True,
            "contact_information": {
                "default_sender_name": "Sandbox",
                "default_sender_email": "sandbox@example.com",
                "website_url": None,
                "organization_name": "Sandbox",
                "street_address": address,
            },
            "industry": None,
            "timezone": "Europe/Stockholm",
            "preferred_currency": account.currency,
            "public_api_key": account.public_key,
            "locale": "en-US",
        },
        "links": self_link(call, f"/api/accounts/{account.id}"),
    }
    return document(200, {"data": [sparse(call, resource)], "links": self_link(call, call.path)})
