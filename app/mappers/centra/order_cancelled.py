"""An order was cancelled."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra import body, tracks
from app.mappers.centra.person import buyer
from app.mappers.centra.schemas import OrderEvent
from app.mappers.centra.settings import CentraSettings


def map(event: OrderEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Cancelled Order, with the Reason ("" when nobody gave one: templates print it)."""
    data = event["data"]
    profile, notes = buyer(event, settings)
    yield from notes
    if profile is not None:
        properties = body.order(data, settings)
        properties.setdefault("Reason", "")
        # One per order: an order is cancelled once.
        yield tracks.track(
            "order_cancelled", event, settings, profile, properties, body.order_id(event), value=body.value(data)
        )
