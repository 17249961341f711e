"""An order was confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra import body, tracks
from app.mappers.centra.person import buyer
from app.mappers.centra.schemas import OrderEvent
from app.mappers.centra.settings import CentraSettings


def map(event: OrderEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Confirmed Order."""
    data = event["data"]
    profile, notes = buyer(event, settings)
    yield from notes
    if profile is not None:
        # One per order. Placed Order has the same id: Klaviyo tells them apart by metric.
        yield tracks.track(
            "order_confirmed", event, settings, profile, body.order(data, settings), body.order_id(event),
            value=body.value(data),
        )  # fmt: skip
