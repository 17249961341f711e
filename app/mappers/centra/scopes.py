"""Which parts of a Centra connection an event belongs to: its store and its market, whose overrides apply."""

from __future__ import annotations

from collections.abc import Mapping


def scopes_of(event: object) -> tuple[str, ...]:
    """``store:1``, then ``market:5`` and ``market:Finland``: the market's overrides win. ``event`` fits a schema."""
    if not isinstance(event, Mapping):
        return ()
    record = event.get("order") or event["customer"]
    store, market = record.get("store") or {}, record.get("market") or {}
    if not isinstance(market, Mapping):  # our events door names store and market in the customer
        store, market = {"id": record.get("store_id")}, {"id": record.get("market_id"), "name": market}
    said = (("store", store.get("id")), ("market", market.get("id")), ("market", market.get("name")))
    return tuple(f"{what}:{which}" for what, which in said if which)
