"""The properties of an event: the plugin's keys as they came, what it once lacked added, and no null, ``$`` or -0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from app.errors import Unusable
from app.klaviyo.commands import Json, Note
from app.mappers.centra.schemas import Item, OrderData, OrderEvent, Reserved, ShipmentData
from app.mappers.centra.settings import CentraSettings

_RESERVED = frozenset(Reserved.__annotations__)
_MONEY_STEMS = ("GrossPaidPrice", "GrossPaidPricePerUnit", "OriginalPrice", "TaxAmount", "DiscountValue", "Cost",
                "ShippingCost", "ShippingTaxAmount", "Value")  # fmt: skip
_MONEY = frozenset(key for stem in _MONEY_STEMS for key in (stem, f"{stem}InCustomerCurrency"))


def plain(data: Mapping[str, object]) -> dict[str, Json]:
    """``data`` without what only the plugin needs and without nulls."""
    kept = dict(data)
    for key in _RESERVED:
        kept.pop(key, None)
    if None in kept.values():
        kept = {key: value for key, value in kept.items() if value is not None}
    return cast("dict[str, Json]", kept)  # it was parsed from JSON, and schemas only put texts and numbers in


def items(lines: list[Item], settings: CentraSettings) -> list[dict[str, Json]]:
    """Lines as the merchant's templates know them."""
    return [styled(plain(line), settings) for line in lines]


def lines(properties: Mapping[str, Json]) -> Sequence[Mapping[str, Json]]:
    """The items of an order's properties."""
    return cast("Sequence[Mapping[str, Json]]", properties.get("Items", ()))


def styled(properties: dict[str, Json], settings: CentraSettings) -> dict[str, Json]:
    """Amounts as texts, or as numbers for merchants who want to compare them in Klaviyo's segments."""
    if settings.money_as_strings:
        return properties
    return {
        key: Decimal(value) if key in _MONEY and isinstance(value, str) else value for key, value in properties.items()
    }


def order(data: OrderData, settings: CentraSettings) -> dict[str, Json]:
    """Properties of an order or a cart."""
    properties: dict[str, Json] = {}
    number = order_number(data)
    if number:
        properties["OrderId"] = number
    properties |= plain(data)
    total = data.get("GrossPaidPriceInCustomerCurrency")
    if total is not None:
        # The plugin's first manual printed this key for the order total, so templates use it.
        properties.setdefault("GrossPaidPricePerUnitInCustomerCurrency", total)
    if "Items" in data:
        properties["Items"] = items(data["Items"], settings)
    shipping = data.get("Shipping")
    if shipping is not None:
        properties["Shipping"] = styled(plain(shipping), settings)
    return styled(properties, settings)


def shipment(data: ShipmentData, settings: CentraSettings) -> dict[str, Json]:
    """Properties of a shipment, or of news of it."""
    properties = plain(data)
    if "Items" in data:
        properties["Items"] = items(data["Items"], settings)
    return styled(properties, settings)


def order_number(data: OrderData) -> str | None:
    """The order's number, which the plugin sent as ``$event_id`` alone in its first years."""
    return data.get("OrderId") or given_id(data)


def order_id(event: OrderEvent) -> str:
    """The unique id of what happens once to an order: its number."""
    return given_id(event["data"]) or event["data"].get("OrderId") or event["event_id"]


def given_id(data: Reserved) -> str | None:
    """The plugin's unique id under either of its spellings."""
    return data.get("$event_id") or data.get("$eventId")


def value(data: Reserved) -> Decimal | None:
    """The event's value in base currency; raises ``Unusable`` when it is below zero."""
    amount = data.get("$value")
    if amount is not None and amount < 0:
        raise Unusable("/data/$value: below zero")
    return amount


def doubt(data: OrderData, settings: CentraSettings) -> Note | None:
    """A value that looks like the customer's amount, though it is taken to be in base currency."""
    currency, total, worth = data.get("CustomerCurrency"), data.get("GrossPaidPriceInCustomerCurrency"), value(data)
    if currency == settings.base_currency or not total or not worth or worth != Decimal(total):
        return None
    return Note(
        f"$value equals the amount in {currency}; it was taken as {settings.base_currency}, as the contract says"
    )


def store_time(moment: datetime, settings: CentraSettings) -> str:
    """``2026-11-20 12:59:58``, in the store's zone, as Centra prints dates."""
    return str(moment.astimezone(settings.zone))[:19]
