"""The shop's orders, shipments and returns, and how Centra's Integration API shows them.

A key ending in ``ExTax`` is what the field before it answers to ``includingTax: false``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from app.mappers.centra.sandbox.shop import Person, Product, Record, money, plain, tax_in


@dataclass
class Line:
    """So many of a product in an order."""

    id: int
    product: Product
    quantity: int
    unit: Decimal  # what one costs after the campaign, tax included
    shipped: int = 0
    returned: int = 0


@dataclass
class Part:
    """Some of a line, in a shipment or a return. ``id`` is the shipment's or return's line."""

    id: int
    line: Line
    quantity: int
    shipment_line: int = 0

    @property
    def value(self) -> Decimal:
        return self.line.unit * self.quantity


@dataclass
class Shipment:
    """What left the warehouse at one time."""

    id: int
    number: str
    at: float
    parts: list[Part]


@dataclass
class Return:
    """What came back at one time."""

    id: int
    at: float
    parts: list[Part]


@dataclass
class Order:
    """An order and all that happened to it. Times are epoch seconds."""

    number: int
    person: Person
    placed: float
    updated: float
    lines: list[Line]
    voucher: Decimal = Decimal(0)
    status: str = "PENDING"
    shipments: list[Shipment] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)

    @property
    def id(self) -> str:
        return hashlib.md5(str(self.number).encode(), usedforsecurity=False).hexdigest()

    @property
    def lines_value(self) -> Decimal:
        return sum((line.unit * line.quantity for line in self.lines), Decimal(0))


def iso(at: float) -> str:
    """Epoch seconds as Centra's DateTimeTz."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def order_record(order: Order) -> Record:
    """A DirectToConsumerOrder. Its total includes the shipping; the voucher lowers the tax as well."""
    person = order.person
    currency, tax = person.currency, person.tax
    included = sum((tax_in(line.unit * line.quantity, tax) for line in order.lines), Decimal(0))
    shipping_tax = tax_in(person.shipping, tax)
    grand = order.lines_value + person.shipping - order.voucher
    totals = {
        "lineValues": order.lines_value,
        "handling": Decimal(0),
        "shipping": person.shipping,
        "shippingTaxIncluded": shipping_tax,
        "discounts": -order.voucher,
        "taxAdded": Decimal(0),
        "taxDeducted": Decimal(0),
        "taxIncluded": included + shipping_tax - tax_in(order.voucher, tax),
    }
    return {
        "__typename": "DirectToConsumerOrder",
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "isOnHold": False,
        "isInternal": False,
        "createdAt": iso(order.placed),
        "updatedAt": iso(order.updated),
        "orderDate": iso(order.placed),
        "currencyBaseRate": money(grand, currency)["conversionRate"],
        "grandTotal": money(grand, currency),
        "totals": {"quantity": sum(line.quantity for line in order.lines)}
        | {name: money(value, currency) for name, value in totals.items()},
        "discountsApplied": _vouchers(order),
        "store": {"id": 1, "type": "DIRECT_TO_CONSUMER"},
        "market": person.market_record,
        "pricelist": person.pricelist_record,
        "language": {"code": person.language[0], "name": person.language[1]},
        "paymentMethod": {"uri": "stand-in-pay", "plugin": "stand_in_pay", "name": "Card"},
        "shippingPriceGroup": {"shippingOption": {"id": 3, "name": "Home or pick-up", "uri": "home-or-pick-up"}},
        "customer": _customer(person) | {"language": {"code": person.language[0]}},
        "billingAddress": person.address,
        "shippingAddress": person.address,
        "shipments": [{"id": one.id, "number": one.number, "isShipped": True} for one in order.shipments],
        "lines": [_line_record(line, person) for line in order.lines],
    }


def shipment_record(order: Order, shipment: Shipment) -> Record:
    """A DirectToConsumerShipment; the order's first one carries the shipping cost and the voucher."""
    person = order.person
    first = shipment is order.shipments[0]
    extra = person.shipping - order.voucher if first else Decimal(0)
    grand = sum((part.value for part in shipment.parts), extra)
    return {
        "__typename": "DirectToConsumerShipment",
        "id": shipment.id,
        "number": shipment.number,
        "createdAt": iso(shipment.at),
        "updatedAt": iso(shipment.at),
        "isGoodToGo": True,
        "isShipped": True,
        "isPaid": True,
        "shippedAt": iso(shipment.at),
        "numberOfPackages": 1,
        "trackingNumber": f"SI{shipment.id:010d}",
        "returnTrackingNumber": None,
        "additionalMessage": None,
        "currencyBaseRate": money(grand, person.currency)["conversionRate"],
        "grandTotal": money(grand, person.currency),
        "grandTotalExTax": money(grand - tax_in(grand, person.tax), person.currency),
        "carrierInformation": {"carrierName": person.carrier[0], "serviceName": person.carrier[1]},
        "discountsApplied": _vouchers(order) if first else [],
        "shippingAddress": person.address,
        "lines": [_part_record(part, person) for part in shipment.parts],
        "shipmentPlugin": None,
        "order": {"id": order.id, "number": order.number},
    }


def return_record(order: Order, returned: Return) -> Record:
    """A DirectToConsumerReturn, completed and refunded."""
    person = order.person
    grand = sum((part.value for part in returned.parts), Decimal(0))
    refund: Record = {
        "id": returned.id + 700_000,
        "entryType": "REFUND",
        "status": "SUCCESS",
        "createdAt": iso(returned.at + 60),
        "value": money(grand, person.currency),
        "paymentMethod": "stand_in_pay",
        "externalReference": f"SI-REFUND-{returned.id}",
    }
    return {
        "__typename": "DirectToConsumerReturn",
        "id": returned.id,
        "returnStatus": "COMPLETED",
        "createdAt": iso(returned.at),
        "totalQuantity": sum(part.quantity for part in returned.parts),
        "returnedToStock": True,
        "currencyBaseRate": money(grand, person.currency)["conversionRate"],
        "comment": "Too small",
        "grandTotal": money(grand, person.currency),
        "grandTotalExTax": money(grand - tax_in(grand, person.tax), person.currency),
        "totals": {
            name: money(Decimal(0), person.currency) for name in ("shipping", "handling", "returnCost", "discounts")
        },
        "lines": [_part_record(part, person) | {"shipmentLine": {"id": part.shipment_line}} for part in returned.parts],
        "refundPaymentHistory": [refund],
        "customer": _customer(person),
        "order": {"id": order.id, "number": order.number},
    }


def _customer(person: Person) -> Record:
    return {"id": person.id, "email": person.email, "firstName": person.first_name, "lastName": person.last_name}


def _vouchers(order: Order) -> list[Record]:
    if not order.voucher:
        return []
    return [
        {
            "__typename": "AppliedVoucher",
            "date": iso(order.placed - 30),
            "value": money(-order.voucher, order.person.currency),
            "voucherName": "Spring tide",
            "code": "SPRINGTIDE",
        }
    ]


def _part_record(part: Part, person: Person) -> Record:
    return {
        "id": part.id,
        "quantity": part.quantity,
        "lineValue": money(part.value, person.currency),
        "orderLine": {"id": part.line.id},
    }


def _line_record(line: Line, person: Person) -> Record:
    product = line.product
    value = line.unit * line.quantity
    category_id, category = product.categories[0]
    return {
        "__typename": "ProductOrderLine",
        "id": line.id,
        "frontendItemId": f"{product.item}-{product.size_id}",
        "productNumber": product.number,
        "productName": product.name,
        "productVariantName": product.variant,
        "productBrand": product.brand[1],
        "size": product.size,
        "quantity": line.quantity,
        "cancelledQuantity": 0,
        "returnedQuantity": line.returned,
        "hasAnyDiscount": product.campaign > 0,
        "comment": None,
        "productExternalUrl": None,
        "unitOriginalPrice": money(product.prices[person.currency], person.currency),
        "unitPrice": money(line.unit, person.currency),
        "discountPercent": product.campaign,
        "taxPercent": plain(person.tax),
        "lineValue": money(value, person.currency),
        "lineValueExTax": money(value - tax_in(value, person.tax), person.currency),
        "brand": {"id": product.brand[0], "name": product.brand[1]},
        "category": {"id": category_id, "name": category},
        "product": {"id": product.item - 4_000, "name": product.name},
        "productVariant": {
            "id": product.item - 3_000,
            "name": product.variant,
            "variantNumber": product.variant[:3].upper(),
        },
        "productSize": {
            "id": product.size_id,
            "SKU": f"{product.number}-{product.variant[:3].upper()}-{product.size[:3].upper()}",
            "EAN": product.ean,
            "UPC": None,
            "description": product.size,
        },
    }
