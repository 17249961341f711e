"""Money went back to the customer, for a whole order or for a part of it."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers import identity
from app.mappers.centra import body, tracks
from app.mappers.centra.person import buyer
from app.mappers.centra.schemas import OrderEvent
from app.mappers.centra.settings import CentraSettings


def map(event: OrderEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """A refund as our events door gives it: one that names its return is a part of its order's refunds."""
    returned = event["data"].get("ReturnId")
    order = body.order_id(event)
    return refunded(event, settings, identity.unique_id(order, returned) if returned else order)


def refunded(event: OrderEvent, settings: CentraSettings, unique_id: str) -> Iterator[Track | Note]:
    """Refunded Order. ``unique_id`` is one per refund: the order's number alone would swallow the second part."""
    data = event["data"]
    profile, notes = buyer(event, settings)
    yield from notes
    if profile is not None:
        yield tracks.track(
            "order_refunded", event, settings, profile, body.order(data, settings), unique_id, value=body.value(data)
        )
