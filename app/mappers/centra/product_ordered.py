"""One line of an order, told on its own (Placed Order sends these itself)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from app.klaviyo.commands import Note, Track
from app.mappers import fields
from app.mappers.centra import body, tracks
from app.mappers.centra.person import person
from app.mappers.centra.schemas import ProductEvent
from app.mappers.centra.settings import CentraSettings


def map(event: ProductEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Ordered Product."""
    data = event["data"]
    profile, notes = person(event["customer"], settings)
    yield from notes
    if profile is None:
        return
    properties = body.styled(body.plain(data), settings)
    properties["Categories"] = fields.names(data.get("Categories", {}))
    paid = data.get("GrossPaidPrice")
    value = body.value(data) or (Decimal(paid) if paid is not None else None)
    # The line's place in its order is not known here, so the caller's own id tells lines apart.
    unique_id = body.given_id(data) or event["event_id"]
    yield tracks.track("product_ordered", event, settings, profile, properties, unique_id, value=value)
