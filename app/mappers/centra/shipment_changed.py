"""Centra says that something about a shipment changed: once it is shipped, that is news."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra import shipment_updated
from app.mappers.centra.answers import ShipmentFound
from app.mappers.centra.convert import left_out, placed_at, shipment_event
from app.mappers.centra.settings import CentraSettings


def map(found: ShipmentFound, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Shipping Update and Shipped."""
    shipment, order = found["shipment"], found["order"]
    reason = left_out(order, settings)
    if reason:
        yield reason
    elif not shipment.get("isShipped"):
        yield Note("not shipped yet")
    else:
        at = shipment.get("shippedAt") or shipment.get("updatedAt") or placed_at(order)
        yield from shipment_updated.map(shipment_event(found, shipment, at, settings), settings)
