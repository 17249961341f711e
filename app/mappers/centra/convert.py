"""From Centra's answers to the shape that our events door takes, so that both ways have one set of mappers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from app.klaviyo.commands import Note
from app.mappers import fields
from app.mappers.centra.answers import Account, GivenAddress, Order, OrderFound, Return, Shipment
from app.mappers.centra.body import store_time
from app.mappers.centra.items import Purse, Record, amount, items_of, ordered_items, purse
from app.mappers.centra.schemas import (
    Address,
    Customer,
    OrderData,
    OrderEvent,
    ShipmentData,
    ShipmentEvent,
    ShopEvent,
)
from app.mappers.centra.settings import METRICS, CentraSettings

ZERO = Decimal(0)


def left_out(order: Order, settings: CentraSettings) -> Note | None:
    """Why nothing of this order is sent yet, or ever; None when it is."""
    if (order.get("store") or {}).get("type") not in {None, "DIRECT_TO_CONSUMER"}:
        return Note("left out: a wholesale order")
    if order.get("isInternal") and not settings.include_internal_orders:
        return Note("left out: an internal order (setting include_internal_orders)")
    if order.get("isOnHold"):
        return Note("on hold in Centra: its events are sent when a later webhook shows that the hold is over")
    return None


def placed_at(order: Order) -> datetime:
    """When the shopper ordered."""
    return order.get("orderDate") or order["createdAt"]


def changed_at(order: Order) -> datetime:
    """When Centra last touched the order: the nearest that it tells of the moment of a change."""
    return order.get("updatedAt") or placed_at(order)


def order_event(slug: str, found: OrderFound, at: datetime, settings: CentraSettings) -> OrderEvent:
    """Placed, Confirmed or Cancelled Order."""
    order, kept = found["order"], purse(found, settings)
    totals, total = order["totals"], order["grandTotal"]["value"]
    tax = amount(totals.get("taxIncluded")) + amount(totals.get("taxAdded")) - amount(totals.get("taxDeducted"))
    data = {
        **_head(order, kept, total, tax),
        **_lists(ordered_items(found, kept, settings)),
        # Centra's discounts are below zero: vouchers only, a line's own discount stays on the line.
        **kept.both("DiscountValue", -amount(totals.get("discounts"))),
        **_foot(order, kept, amount(totals.get("shipping")), amount(totals.get("shippingTaxIncluded"))),
    }
    return {**_around(slug, order, at), "data": cast("OrderData", data)}


def refund_event(
    found: OrderFound, returned: Return, paid: Decimal, at: datetime, settings: CentraSettings
) -> OrderEvent:
    """Refunded Order: what came back, and what was paid for it."""
    order, kept = found["order"], purse(found, settings)
    net, totals = returned.get("grandTotalExTax"), returned.get("totals") or {}
    tax = returned["grandTotal"]["value"] - net["value"] if net else ZERO
    data = {
        **_head(order, kept, paid, abs(tax)),
        **_lists(items_of(returned["lines"], found, kept, settings)),
        **kept.both("DiscountValue", abs(amount(totals.get("discounts")))),
        **_foot(order, kept, abs(amount(totals.get("shipping"))), ZERO),
        "ReturnId": returned["id"],
        "Reason": returned.get("comment") or "",
    }
    return {**_around("order_refunded", order, at), "data": cast("OrderData", data)}


def shipment_event(found: OrderFound, shipment: Shipment, at: datetime, settings: CentraSettings) -> ShipmentEvent:
    """Shipping Update with the news that it was shipped."""
    order, kept = found["order"], purse(found, settings)
    total, net = shipment["grandTotal"]["value"], shipment.get("grandTotalExTax")
    discount = sum((amount(one.get("value")) for one in shipment.get("discountsApplied") or ()), ZERO)
    carrier = shipment.get("carrierInformation") or {}
    service, carried_by, option = carrier.get("serviceName") or "", carrier.get("carrierName") or "", _option(order)
    tracking = shipment.get("trackingNumber") or ""
    data = {
        "OrderId": order["number"],
        "ShipmentId": f"Shipped-{shipment['number']}",
        "UpdateType": METRICS["shipped"],
        "Items": items_of(shipment["lines"], found, kept, settings),
        "ShippingAddress": address(shipment.get("shippingAddress") or order.get("shippingAddress")),
        "ShippingMethod": _joined(service, carried_by) or option,
        "ShippingService": service,
        "ShippingCarrier": carried_by,
        "CentraShippingMethod": option,
        "TrackingNumber": tracking,
        "TrackingUrl": settings.tracking_url(carried_by, tracking),
        "PackagesAmount": shipment.get("numberOfPackages"),
        "ShippingDate": store_time(at, settings),
        "MethodForPayment": _method_for_payment(order),
        "CustomerCurrency": kept.currency,
        **kept.both("GrossPaidPrice", total),
        **kept.both("TaxAmount", total - net["value"] if net else ZERO),
        **kept.both("DiscountValue", -discount),
        **kept.both("ShippingCost", amount(order["totals"].get("shipping"))),
        **kept.both("ShippingTaxAmount", amount(order["totals"].get("shippingTaxIncluded"))),
        "OrderDate": store_time(placed_at(order), settings),
    }
    return {**_around("shipment_updated", order, at), "data": cast("ShipmentData", data)}


def address(given: GivenAddress | None) -> Address | None:
    """The plugin's address: complete, a part that is missing is ""."""
    if given is None:
        return None
    country, state = given.get("country") or {}, given.get("state") or {}
    return {
        "FirstName": given.get("firstName") or "",
        "LastName": given.get("lastName") or "",
        "Company": given.get("companyName") or "",
        "Address1": given.get("address1") or "",
        "Address2": given.get("address2") or "",
        "City": given.get("city") or "",
        "Region": state.get("name") or given.get("stateOrProvince") or "",
        "Region_code": state.get("code") or "",
        "Country": country.get("name") or "",
        "CountryCode": country.get("code") or "",
        "Zip": given.get("zipCode") or "",
        "Phone": given.get("cellPhoneNumber") or given.get("phoneNumber") or "",
        "Email": given.get("email") or "",
    }


def customer(account: Account) -> Customer:
    """A customer's own record; see ``Customer`` for what "" means to the restrictions."""
    market, pricelist = account.get("market") or {}, account.get("pricelist") or {}
    billing = account.get("billingAddress")
    country = account.get("country") or (billing or {}).get("country") or {}
    return {
        "id": account["id"],
        "email": account.get("email"),
        "first_name": account.get("firstName"),
        "last_name": account.get("lastName"),
        "phone": account.get("cellPhoneNumber") or account.get("phoneNumber"),
        "site_language": (account.get("language") or {}).get("code"),
        "delivery_country": country.get("code"),
        "currency": (pricelist.get("currency") or {}).get("code"),
        "market": market.get("name"),
        "market_id": market.get("id"),
        "pricelist": pricelist.get("name"),
        "pricelist_id": pricelist.get("id"),
        "address": address(billing),
    }


def _around(slug: str, order: Order, at: datetime) -> ShopEvent:
    return {
        "event_id": f"order-{order['number']}",
        "metric": METRICS[slug],
        "occurred_at": at,
        "customer": _order_customer(order),
    }


def _order_customer(order: Order) -> Customer:
    known = order.get("customer") or {}
    market, pricelist = order.get("market") or {}, order.get("pricelist") or {}
    billing, shipping = order.get("billingAddress") or {}, order.get("shippingAddress") or {}
    language = order.get("language") or known.get("language") or {}
    country = shipping.get("country") or billing.get("country") or {}
    return {
        "id": known.get("id"),
        "email": known.get("email"),
        "first_name": known.get("firstName"),
        "last_name": known.get("lastName"),
        "phone": billing.get("cellPhoneNumber") or billing.get("phoneNumber"),
        "site_language": language.get("code"),
        "delivery_country": country.get("code"),
        "currency": (order["grandTotal"].get("currency") or {}).get("code"),
        "market": market.get("name"),
        "market_id": market.get("id"),
        "pricelist": pricelist.get("name"),
        "pricelist_id": pricelist.get("id"),
        "store_id": (order.get("store") or {}).get("id"),
    }


def _head(order: Order, kept: Purse, total: Decimal, tax: Decimal) -> Mapping[str, object]:
    return {
        "OrderId": str(order["number"]),
        "$value": kept.value(total),
        "CustomerCurrency": kept.currency,
        "GrossPaidPriceInCustomerCurrency": kept.both("", total)["InCustomerCurrency"],
        **kept.both("TaxAmount", tax),
    }


def _lists(items: Sequence[Record]) -> Mapping[str, object]:
    """The items, and over all of them the distinct names that segments and flows ask for."""
    categories = (name for item in items for name in fields.names(item["Categories"]))
    return {
        "Categories": list(dict.fromkeys(categories)),
        "ItemNames": [item["ProductName"] for item in items],
        "Brands": list(dict.fromkeys(item["Brand"] for item in items if item["Brand"])),
        "Items": items,
    }


def _foot(order: Order, kept: Purse, shipping: Decimal, shipping_tax: Decimal) -> Mapping[str, object]:
    option = _option(order)
    return {
        "BillingAddress": address(order.get("billingAddress")),
        "ShippingAddress": address(order.get("shippingAddress")),
        "Shipping": {
            "Method": option,
            "Service": "",
            "Carrier": "",
            "CentraShippingMethod": option,
            **kept.both("Cost", shipping),
            **kept.both("TaxAmount", shipping_tax),
        },
        "MethodForPayment": _method_for_payment(order),
    }


def _option(order: Order) -> str:
    return ((order.get("shippingPriceGroup") or {}).get("shippingOption") or {}).get("name") or ""


def _method_for_payment(order: Order) -> str:
    method = order.get("paymentMethod") or {}
    return method.get("name") or method.get("uri") or method.get("plugin") or ""


def _joined(service: str, carrier: str) -> str:
    return f"{service} ({carrier})" if service and carrier else service or carrier
