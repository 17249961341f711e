"""Somebody made an account."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Json, Note, Track
from app.mappers.centra import body, tracks
from app.mappers.centra.person import person, spoken
from app.mappers.centra.schemas import AccountEvent
from app.mappers.centra.settings import CentraSettings


def map(event: AccountEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Created Account."""
    customer, data = event["customer"], event.get("data", {})
    profile, notes = person(customer, settings)
    yield from notes
    if profile is None:
        return
    country = customer.get("delivery_country")
    properties: dict[str, Json] = {
        "CustomerId": customer.get("id"),
        "Language": spoken(customer, settings, country),
        "Market": customer.get("market"),
        "Country": country,
    }
    kept = {key: value for key, value in properties.items() if value}
    # One per customer: an account is made once.
    unique_id = customer.get("id") or body.given_id(data) or event["event_id"]
    yield tracks.track("account_created", event, settings, profile, kept | body.plain(data), unique_id)
