"""Centra: its doors, and the table of what its events are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from app.mappers.centra import (
    account_created,
    checkout_started,
    customer_changed,
    examples,
    gift_certificate,
    newsletter,
    order_cancelled,
    order_changed,
    order_confirmed,
    order_placed,
    order_refunded,
    password_reset,
    product_ordered,
    return_changed,
    shipment_changed,
    shipment_updated,
    subscription_payment_failed,
    subscription_payment_update_failed,
    subscription_payment_update_succeeded,
    subscription_status_changed,
)
from app.mappers.centra.answers import CustomerFound, OrderFound, ReturnFound, ShipmentFound
from app.mappers.centra.api import CentraApi, token_warning
from app.mappers.centra.doors import EMPTY, announced, pushed, receipt, record, verifier
from app.mappers.centra.schemas import (
    AccountEvent,
    GiftEvent,
    NewsletterEvent,
    OrderEvent,
    ProductEvent,
    ResetEvent,
    ShipmentEvent,
    SubscriptionEvent,
)
from app.mappers.centra.scopes import scopes_of
from app.mappers.centra.settings import CentraSecrets, CentraSettings
from app.mappers.source import Door, Source, on
from app.mappers.source import Mapping as EventMapping

# What a shop posts to our events door. "... - resend" is somebody in Centra pressing "send again".
PUSHED: Mapping[str, EventMapping[Any, CentraSettings]] = {
    "Reset Password": on("password_reset", ResetEvent, password_reset.map),
    "Created Account": on("account_created", AccountEvent, account_created.map),
    "Placed Order": on("order_placed", OrderEvent, order_placed.map),
    "Placed Order - resend": on("order_placed", OrderEvent, order_placed.map),
    "Ordered Product": on("product_ordered", ProductEvent, product_ordered.map),
    "Confirmed Order": on("order_confirmed", OrderEvent, order_confirmed.map),
    "Confirmed Order - resend": on("order_confirmed", OrderEvent, order_confirmed.map),
    "Cancelled Order": on("order_cancelled", OrderEvent, order_cancelled.map),
    "Cancelled Order - resend": on("order_cancelled", OrderEvent, order_cancelled.map),
    "Refunded Order": on("order_refunded", OrderEvent, order_refunded.map),
    "Refunded Order - resend": on("order_refunded", OrderEvent, order_refunded.map),
    "Shipping Update": on("shipment_updated", ShipmentEvent, shipment_updated.map),
    "Shipping Update - resend": on("shipment_updated", ShipmentEvent, shipment_updated.map),
    "Shipped": on("shipment_updated", ShipmentEvent, shipment_updated.map),
    "Out for delivery": on("shipment_updated", ShipmentEvent, shipment_updated.map),
    "Delivered": on("shipment_updated", ShipmentEvent, shipment_updated.map),
    "Gift Certificate": on("gift_certificate", GiftEvent, gift_certificate.map),
    "Gift Certificate - resend": on("gift_certificate", GiftEvent, gift_certificate.map),
    "Started Checkout": on("checkout_started", OrderEvent, checkout_started.map),
    "Changed Subscription Status": on(
        "subscription_status_changed", SubscriptionEvent, subscription_status_changed.map
    ),
    "Failed Subscription Payment": on(
        "subscription_payment_failed", SubscriptionEvent, subscription_payment_failed.map
    ),
    "Failed Subscription Payment Update": on(
        "subscription_payment_update_failed", SubscriptionEvent, subscription_payment_update_failed.map
    ),
    "Successful Subscription Payment Update": on(
        "subscription_payment_update_succeeded", SubscriptionEvent, subscription_payment_update_succeeded.map
    ),
    newsletter.METRIC: on("newsletter", NewsletterEvent, newsletter.map),
}

# What Centra announces with ids alone. What it is about must be asked for; the action is never looked at.
ANNOUNCED: Mapping[str, EventMapping[Any, CentraSettings]] = {
    "order": on("order_changed", OrderFound, order_changed.map, need=record("order")),
    "shipment": on("shipment_changed", ShipmentFound, shipment_changed.map, need=record("shipment")),
    "return": on("return_changed", ReturnFound, return_changed.map, need=record("return")),
    "customer": on("customer_changed", CustomerFound, customer_changed.map, need=record("customer")),
}

_CATALOGUE = "only tells a shop's caches what changed: nothing in it is for Klaviyo"
_CATALOGUE_KEYS = (
    "products", "brands", "categories", "pricelists", "warehouses", "warehouseGroups", "markets", "campaigns",
    "campaignSites", "affiliates", "giftCertificates", "statics", "cmsArticles", "mapsLocations", "mapsRegions",
    "DisplayItems", "Categories", "Pricelists", "Markets", "Collections", "Brands", "Languages", "CampaignSites",
    "Affiliates", "BrickAndMortars",
)  # fmt: skip
IGNORED = {
    "check_first": "asks warehouses whether they have the goods: the order's own event follows",
    "account": "a wholesale account",
    EMPTY: "an empty call",
    **dict.fromkeys(_CATALOGUE_KEYS, _CATALOGUE),
}


def _form() -> Mapping[str, Any]:
    event = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "examples": ["order"]},
            "action": {"type": "string", "examples": ["insert"]},
            "date": {"type": "string", "description": "Without a zone."},
            "id": {"type": "integer", "description": "An order's number, or another record's id."},
        },
        "required": ["type", "id"],
    }
    payload = {"type": "object", "properties": {"events": {"type": "array", "maxItems": 100, "items": event}}}
    return {"type": "object", "properties": {"payload": payload}, "required": ["payload"]}


def _contract() -> Mapping[str, Any]:
    adapters = {mapping.slug: mapping.schema for mapping in PUSHED.values()}
    schemas, shared = TypeAdapter.json_schemas([(slug, "validation", adapters[slug]) for slug in adapters])
    kinds = {schema["$ref"]: schema for schema in schemas.values()}
    one = {"anyOf": [*kinds.values()]}
    many = {"type": "array", "minItems": 1, "maxItems": 100, "items": one}
    return {"anyOf": [one, many], **shared}


SIGNING = """Sign every call: the header `X-Centra-Signature` is `t=<unix seconds>,v1=<hex>`, where the hex is the \
HMAC-SHA256 over the time, a dot and the exact bytes of the body, keyed with the secret. In a shell, for the body in \
`body.{suffix}`:

    t=$(date +%s); v1=$( (printf %s. $t; cat body.{suffix}) | openssl dgst -sha256 -hmac "$SECRET" | sed 's/.* //')
    curl "$URL" -H "X-Centra-Signature: t=$t,v1=$v1" -H 'Content-Type: {kind}' --data-binary @body.{suffix}
"""


SOURCE = Source(
    name="centra",
    title="Centra",
    settings=CentraSettings,
    secrets=CentraSecrets,
    doors=(
        Door(
            name="webhooks",
            path="/webhooks/centra/{connection}",
            secrets=("endpoint_secret",),
            verify=verifier("endpoint_secret"),
            events=announced,
            content_type="application/x-www-form-urlencoded",
            examples=examples.ANNOUNCED,
            schema=_form(),
            summary="What the plugin Centra Webhook posts",
            signing=SIGNING.format(suffix="form", kind="application/x-www-form-urlencoded"),
        ),
        Door(
            name="events",
            path="/webhooks/centra/{connection}/events",
            secrets=("events_secret", "endpoint_secret"),
            verify=verifier("events_secret", "endpoint_secret"),
            events=pushed,
            content_type="application/json",
            examples=examples.PUSHED,
            schema=_contract(),
            summary="What Centra cannot push: one event, or up to 100, signed in the same way",
            status=202,
            receipt=receipt(lambda: PUSHED),
            signing=SIGNING.format(suffix="json", kind="application/json"),
        ),
    ),
    table={**PUSHED, **ANNOUNCED},
    ignored=IGNORED,
    scopes_of=scopes_of,
    warns=lambda settings, now: token_warning(settings.api_token_expires, now),
    connect=CentraApi,
)
