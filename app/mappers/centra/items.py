"""Order lines and amounts of Centra's answers in the shape of the plugin's items, in both currencies.

Amounts are reckoned in the order's currency, rounded to two digits there, and only then taken into base currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from app.errors import Unusable
from app.mappers import money
from app.mappers.centra.answers import Display, Monetary, Order, OrderFound, OrderLine, Part
from app.mappers.centra.settings import CentraSettings

Record: TypeAlias = dict[str, object]

CANCELLED = frozenset({"CANCELLED", "CANCELED", "DELETED"})


@dataclass(frozen=True, slots=True)
class Purse:
    """An order's currency and the way from it to the base currency; ``rate`` is base units for one of it."""

    currency: str
    rate: Decimal

    def both(self, name: str, amount: Decimal) -> dict[str, str]:
        """``{"Cost": "66.08", "CostInCustomerCurrency": "5.90"}``."""
        exact = money.rounded(amount)
        return {name: money.two_digits(exact * self.rate), f"{name}InCustomerCurrency": money.two_digits(exact)}

    def value(self, amount: Decimal) -> Decimal:
        """In base currency."""
        return money.rounded(money.rounded(amount) * self.rate)


def purse(found: OrderFound, settings: CentraSettings) -> Purse:
    """Centra's own rate leads to Centra's base currency; where that is not ours, the setting ``rates`` leads on.

    Raises ``Unusable`` when there is no way: a wrong value would be worse than a late one.
    """
    total = found["order"]["grandTotal"]
    currency = money.currency((total.get("currency") or {}).get("code"))
    if currency is None:
        raise Unusable("/order/grandTotal/currency: no ISO 4217 currency")
    given = total.get("conversionRate") or found["order"].get("currencyBaseRate")
    # A Centra that does not tell its base currency is taken to have ours.
    onward = settings.rate(found.get("baseCurrency") or settings.base_currency)
    if currency != settings.base_currency and given is not None and onward is not None:
        return Purse(currency, given * onward)
    rate = settings.rate(currency)
    if rate is None:
        raise Unusable(f"no rate from {currency} to {settings.base_currency}: set rates.{currency}, then replay")
    return Purse(currency, rate)


def amount(given: Monetary | None) -> Decimal:
    """What is not there is nothing."""
    return given["value"] if given else Decimal(0)


def shown(order: Order) -> list[tuple[int, OrderLine, int]]:
    """The lines an order's events show: place in the whole order from 1, line, pieces.

    A line whose pieces were all cancelled is left out, unless the whole order was: then it is what was cancelled.
    """
    whole = order["status"] in CANCELLED
    counted = (
        (place, line, line["quantity"] or (line.get("cancelledQuantity") or 0 if whole else 0))
        for place, line in enumerate(order["lines"], start=1)
    )
    return [(place, line, pieces) for place, line, pieces in counted if pieces > 0]


def ordered_items(found: OrderFound, kept: Purse, settings: CentraSettings) -> list[Record]:
    """The items of an order."""
    return [item(line, pieces, found, kept, settings) for _, line, pieces in shown(found["order"])]


def items_of(parts: Iterable[Part], found: OrderFound, kept: Purse, settings: CentraSettings) -> list[Record]:
    """The items of a shipment or a return: pieces of order lines, at the order's prices."""
    by_id = {line["id"]: line for line in found["order"]["lines"]}
    named = ((by_id.get(part["orderLine"].get("id") or ""), part["quantity"]) for part in parts)
    return [item(line, pieces, found, kept, settings) for line, pieces in named if line is not None]


def item(line: OrderLine, pieces: int, found: OrderFound, kept: Purse, settings: CentraSettings) -> Record:
    """So many pieces of a line."""
    display = _display(line, found)
    article, brand = line.get("productSize") or {}, line.get("brand") or {}
    paid, tax = _paid_and_tax(line, pieces)
    original = amount(line.get("unitOriginalPrice")) * pieces or paid
    media = display.get("media") or []
    picture = (media[0].get("source") or {}) if media else {}
    return {
        "ProductID": (line.get("frontendItemId") or "").partition("-")[0],
        "SKU": article.get("SKU") or _product_number(line),
        "ProductName": _name(line, settings),
        "Quantity": pieces,
        "GTIN": article.get("EAN") or article.get("UPC") or "",
        "Size": line.get("size") or article.get("description") or "",
        "VariantName": line.get("productVariantName") or "",
        **kept.both("GrossPaidPrice", paid),
        **kept.both("OriginalPrice", original),
        **kept.both("GrossPaidPricePerUnit", line["unitPrice"]["value"]),
        "ProductURL": line.get("productExternalUrl") or _page(display, settings),
        "ImageURL": picture.get("url") or "",
        "Categories": _categories(line, display),
        "Brand": line.get("productBrand") or brand.get("name") or "",
        **kept.both("TaxAmount", tax),
        "TaxPercent": line.get("taxPercent") or 0,
        "Discounted": bool(line.get("hasAnyDiscount")),
        **kept.both("DiscountValue", original - paid),
        "ProductType": "bundle" if "bundle" in (line.get("__typename") or "").lower() else "product",
    }


def _paid_and_tax(line: OrderLine, pieces: int) -> tuple[Decimal, Decimal]:
    """Centra's own amounts for the whole line; for a part of it the unit's price, and the tax that it includes."""
    if pieces == line["quantity"]:
        paid, net = line["lineValue"]["value"], line.get("lineValueExTax")
        if net:
            return paid, paid - net["value"]
    else:
        paid = line["unitPrice"]["value"] * pieces
    percent = line.get("taxPercent") or Decimal(0)
    return paid, paid * percent / (100 + percent)


def _display(line: OrderLine, found: OrderFound) -> Display:
    """A line's ``frontendItemId`` is the display item's id, or ``<display item>-<product size>``."""
    wanted = (line.get("frontendItemId") or "").partition("-")[0]
    items = found.get("displayItems", ())
    display = next((given.get("display") for given in items if given["id"] == wanted), None)
    return display or {}


def _categories(line: OrderLine, display: Display) -> dict[str, str]:
    category = line.get("category")
    given = display.get("categories") or ([category] if category else [])
    return {known: name for one in given if (known := one.get("id")) and (name := one.get("name"))}


def _name(line: OrderLine, settings: CentraSettings) -> str:
    name, variant = line.get("productName") or "", line.get("productVariantName") or ""
    return name if settings.use_short_product_name else f"{name} {variant}".strip()


def _product_number(line: OrderLine) -> str:
    number, variant = line.get("productNumber"), (line.get("productVariant") or {}).get("variantNumber")
    return "-".join(part for part in (number, variant) if part)


def _page(display: Display, settings: CentraSettings) -> str:
    uri, template = display.get("uri"), settings.product_page_url
    return template.replace("{display_uri}", uri) if uri and template else ""
