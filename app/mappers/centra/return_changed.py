"""Centra says that something about a return changed: once money went back, that is a refund."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from app.klaviyo.commands import Note, Track
from app.mappers import identity
from app.mappers.centra import order_refunded
from app.mappers.centra.answers import Order, Return, ReturnFound
from app.mappers.centra.convert import left_out, refund_event
from app.mappers.centra.items import amount
from app.mappers.centra.settings import CentraSettings


def map(found: ReturnFound, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Refunded Order: when the payment came back or, by the setting ``refund_on_completion``, when the goods did."""
    returned, order = found["return"], found["order"]
    reason = left_out(order, settings)
    if reason:
        yield reason
        return
    if returned.get("returnStatus") != "COMPLETED":
        yield Note("the return is not completed yet")
        return
    refund = _refund(returned, settings)
    if refund is None:
        yield Note("nothing was refunded yet")
        return
    paid, at = refund
    number = str(order["number"])
    # One per return: a second partial refund is an event of its own. A refund of the whole order has the order's
    # number, as the plugin gave it.
    unique_id = number if _whole(returned, order) else identity.unique_id(number, returned["id"])
    yield from order_refunded.refunded(refund_event(found, returned, paid, at, settings), settings, unique_id)


def _refund(returned: Return, settings: CentraSettings) -> tuple[Decimal, datetime] | None:
    """How much went back, and when that was settled."""
    history = returned.get("refundPaymentHistory") or ()
    settled = [
        entry for entry in history if "REFUND" in (entry.get("entryType") or "") and entry.get("status") == "SUCCESS"
    ]
    if settled:
        at = max(entry.get("createdAt") or returned["createdAt"] for entry in settled)
        return sum((abs(amount(entry.get("value"))) for entry in settled), Decimal(0)), at
    if settings.refund_on_completion:
        return abs(returned["grandTotal"]["value"]), returned["createdAt"]
    return None


def _whole(returned: Return, order: Order) -> bool:
    """Whether every piece that was ever ordered came back at once; pieces cancelled later must not change an id."""
    back: dict[str, int] = {}
    for part in returned["lines"]:
        line = part["orderLine"].get("id") or ""
        back[line] = back.get(line, 0) + part["quantity"]
    return all(back.get(line["id"], 0) >= line["quantity"] + (line.get("cancelledQuantity") or 0)
               for line in order["lines"])  # fmt: skip
