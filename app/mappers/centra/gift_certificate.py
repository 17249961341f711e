"""A gift certificate was bought: its code goes to the customer who paid."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from app.klaviyo.commands import Note, Track
from app.mappers import money
from app.mappers.centra import body, tracks
from app.mappers.centra.person import person
from app.mappers.centra.schemas import GiftData, GiftEvent
from app.mappers.centra.settings import CentraSettings


def map(event: GiftEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Gift Certificate."""
    data = event["data"]
    profile, notes = person(event["customer"], settings, paid_in=data.get("CustomerCurrency"))
    yield from notes
    if profile is None:
        return
    value = _value(data, settings)
    if value is None:
        yield Note("sent without a value: the setting rates has no rate for its currency")
    properties = body.styled(body.plain(data), settings)
    # One per certificate and person; its code is as unique as its id.
    unique_id = body.given_id(data) or data.get("Code") or event["event_id"]
    yield tracks.track(
        "gift_certificate", event, settings, profile, properties, unique_id, value=value, grain=tracks.whom(profile)
    )


def _value(data: GiftData, settings: CentraSettings) -> Decimal | None:
    """In base currency. The plugin writes the customer's amount into ``$value``, whatever the currency."""
    worth, currency = data.get("ValueInCustomerCurrency"), data.get("CustomerCurrency")
    if worth is None or currency is None:
        return body.value(data)
    rate = settings.rate(currency)
    return None if rate is None else money.rounded(Decimal(worth) * rate)
