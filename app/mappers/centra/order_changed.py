"""Centra says that something about an order changed: everything that the order's state implies is sent.

What was sent before is forgotten by its unique id, so nothing needs to be remembered, and a lost webhook is made good
by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra import order_cancelled, order_confirmed, order_placed
from app.mappers.centra.answers import OrderFound
from app.mappers.centra.convert import changed_at, left_out, order_event, placed_at
from app.mappers.centra.items import CANCELLED, shown
from app.mappers.centra.settings import CentraSettings

_PAST_CONFIRMED = frozenset({"PROCESSING", "SHIPPED", "COMPLETED", "ARCHIVED"})


def map(found: OrderFound, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Placed Order and its Ordered Products; then Confirmed or Cancelled Order."""
    order = found["order"]
    reason = left_out(order, settings)
    if reason:
        yield reason
        return
    event = order_event("order_placed", found, placed_at(order), settings)
    yield from order_placed.placed(event, settings, [place for place, _, _ in shown(order)])
    if order["status"] == "CONFIRMED":
        yield from order_confirmed.map(order_event("order_confirmed", found, changed_at(order), settings), settings)
    elif order["status"] in _PAST_CONFIRMED:
        # When that was is not told any more. Not now: an order of last month must not be confirmed by mail today.
        yield from order_confirmed.map(order_event("order_confirmed", found, placed_at(order), settings), settings)
    elif order["status"] in CANCELLED:
        yield from order_cancelled.map(order_event("order_cancelled", found, changed_at(order), settings), settings)
