"""Centra says that something about a customer changed: an account was made, or the newsletter was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from app.klaviyo.commands import Note, Subscribe, Track, Unsubscribe
from app.mappers.centra import account_created, newsletter
from app.mappers.centra.answers import Account, CustomerFound
from app.mappers.centra.convert import customer
from app.mappers.centra.settings import METRICS, CentraSettings

_NEW = timedelta(days=1)


def map(  # noqa: A001 the contract's word
    found: CustomerFound, settings: CentraSettings
) -> Iterator[Track | Subscribe | Unsubscribe | Note]:
    """Created Account for who is registered, and a subscription for an opt-in of the last day.

    An older opt-in is left alone: its customer may have unsubscribed at Klaviyo since.
    """
    account = found["customer"]
    if account.get("isRegistered"):
        yield from account_created.map(
            {
                "event_id": f"customer-{account['id']}",
                "metric": METRICS["account_created"],
                "occurred_at": account["createdAt"],
                "customer": customer(account),
            },
            settings,
        )
    else:
        yield Note("no account: Centra does not show this customer as registered")
    if settings.newsletter_from_customer:
        yield from _opted_in(account, settings)


def _opted_in(account: Account, settings: CentraSettings) -> Iterator[Subscribe | Unsubscribe | Note]:
    now = account.get("updatedAt") or account["createdAt"]
    for opted_in in account.get("newsletterSubscriptions") or ():
        at = opted_in.get("createdAt")
        if opted_in.get("isActive") and at and abs(now - at) <= _NEW:
            yield from newsletter.map(
                {
                    "event_id": f"newsletter-{opted_in['id']}",
                    "metric": newsletter.METRIC,
                    "occurred_at": at,
                    "customer": customer(account),
                    "data": {"source": "newsletter"},
                    "consent": {"email": True},
                },
                settings,
            )
