"""An order left the checkout: Placed Order, and one Ordered Product for each of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from app.klaviyo.commands import Json, Note, Profile, Track
from app.mappers import fields, identity, money
from app.mappers.centra import body, tracks
from app.mappers.centra.person import buyer
from app.mappers.centra.schemas import OrderEvent
from app.mappers.centra.settings import CentraSettings


def map(event: OrderEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """An order as our events door gives it: its lines count from 1."""
    return placed(event, settings, range(1, len(event["data"].get("Items", ())) + 1))


def placed(event: OrderEvent, settings: CentraSettings, positions: Iterable[int]) -> Iterator[Track | Note]:
    """``positions`` are the lines' places in the whole order, cancelled lines counted, so that a line keeps its
    unique id when another one is cancelled.
    """
    data = event["data"]
    profile, notes = buyer(event, settings)
    yield from notes
    if profile is None:
        return
    if doubt := body.doubt(data, settings):
        yield doubt
    properties = body.order(data, settings)
    properties.setdefault("OrderType", "One-time Purchase")
    properties.setdefault("CreatedDate", body.store_time(event["occurred_at"], settings))
    # One per order: the number. A second order of the same person has another one.
    unique_id = body.order_id(event)
    yield tracks.track("order_placed", event, settings, profile, properties, unique_id, value=body.value(data))
    if "product_ordered" not in settings.names:
        yield tracks.off("product_ordered")
    elif not tracks.resent(event):
        order = body.order_number(data) or unique_id
        for position, line in zip(positions, body.lines(properties), strict=True):
            yield _product(event, settings, profile, order, position, line)


def _product(
    event: OrderEvent, settings: CentraSettings, profile: Profile, order: str, position: int, line: Mapping[str, Json]
) -> Track | Note:
    """Ordered Product. One per line: two lines of one order may hold the same article, so its place is part of it."""
    article = line.get("GTIN") or line.get("SKU") or line.get("ProductID") or ""
    paid = line.get("GrossPaidPrice")
    return tracks.track(
        "product_ordered", event, settings, profile,
        {"OrderId": order, **line, "Categories": fields.names(line.get("Categories", {}))},
        identity.unique_id(order, str(article), str(position)),
        value=money.amount(paid) if paid is not None else None,
    )  # fmt: skip
