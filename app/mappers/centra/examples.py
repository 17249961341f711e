"""One real body for every event of both doors: the docs show them, the demo and the tests send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from app.mappers.source import Example

Json: TypeAlias = Mapping[str, object]

_ADDRESS = {
    "FirstName": "Astrid", "LastName": "Nyman", "Company": "", "Address1": "Kajgatan 4", "Address2": "",
    "City": "Norrköping", "Region": "", "Region_code": "", "Country": "Sweden", "CountryCode": "SE",
    "Zip": "602 23", "Phone": "+46701740605", "Email": "astrid.nyman@example.com",
}  # fmt: skip
_CUSTOMER = {
    "id": "880101", "email": "astrid.nyman@example.com", "first_name": "Astrid", "last_name": "Nyman",
    "phone": "+46701740605", "site_language": "sv", "delivery_country": "SE", "currency": "SEK", "market": "Sweden",
}  # fmt: skip
_COAT = {
    "ProductID": "6101", "SKU": "HB-1001-KEL-M", "ProductName": "Skerry Rain Coat Kelp", "Quantity": 1,
    "GTIN": "7350012345017", "Size": "M", "VariantName": "Kelp", "GrossPaidPrice": "1899.00",
    "GrossPaidPriceInCustomerCurrency": "1899.00", "OriginalPrice": "1899.00",
    "OriginalPriceInCustomerCurrency": "1899.00", "GrossPaidPricePerUnit": "1899.00",
    "GrossPaidPricePerUnitInCustomerCurrency": "1899.00",
    "ProductURL": "https://shop.example.com/p/skerry-rain-coat",
    "ImageURL": "https://havsbris.example/images/6101-standard.jpg",
    "Categories": {"301": "Rainwear", "300": "Outerwear"}, "Brand": "Havsbris", "TaxAmount": "379.80",
    "TaxAmountInCustomerCurrency": "379.80", "TaxPercent": 25, "Discounted": False, "DiscountValue": "0.00",
    "DiscountValueInCustomerCurrency": "0.00", "ProductType": "product",
}  # fmt: skip
_TOTALS = {
    "$value": 1948.0, "CustomerCurrency": "SEK", "GrossPaidPriceInCustomerCurrency": "1948.00",
    "TaxAmount": "389.60", "TaxAmountInCustomerCurrency": "389.60", "Categories": ["Rainwear", "Outerwear"],
    "ItemNames": ["Skerry Rain Coat Kelp"], "Brands": ["Havsbris"], "DiscountValue": "0.00",
    "DiscountValueInCustomerCurrency": "0.00", "Items": [_COAT], "BillingAddress": _ADDRESS,
    "ShippingAddress": _ADDRESS,
    "Shipping": {
        "Method": "Home or pick-up", "Service": "", "Carrier": "", "CentraShippingMethod": "Home or pick-up",
        "Cost": "49.00", "CostInCustomerCurrency": "49.00", "TaxAmount": "9.80",
        "TaxAmountInCustomerCurrency": "9.80",
    },
    "MethodForPayment": "Card",
}  # fmt: skip
_ORDER = {"$event_id": "50300", **_TOTALS}
_SUBSCRIPTION = {
    "SubscriptionId": "71", "CreatedAt": "2026-10-01 09:30:00", "IntervalType": "month", "IntervalValue": 1,
    "IntervalFormatted": "1 month", "DiscountPercent": 10,
}  # fmt: skip
_CONTRACT = {
    "SubscriptionContractId": "64", "PaymentType": "cc", "PaymentDescription": "Card ending in 4242",
    "ManageSubscriptionPaymentMethodsUrl": "https://shop.example.com/account/subscriptions/64",
    "Subscriptions": [_SUBSCRIPTION],
}  # fmt: skip


def _event(metric: str, at: str, data: Json | None = None, **around: object) -> Example:
    named = {"event_id": f"{metric.lower().replace(' ', '-')}-1", "metric": metric, "occurred_at": at}
    body = {**named, "customer": _CUSTOMER} | ({"data": data} if data is not None else {}) | around
    return Example(metric, body)


def _update(update: str) -> Json:
    """News of the order's only shipment."""
    return {
        "OrderId": 50300, "ShipmentId": f"{update}-50300-1", "UpdateType": update, "Items": [_COAT],
        "ShippingAddress": _ADDRESS, "ShippingMethod": "MyPack Collect (PostNord)",
        "ShippingService": "MyPack Collect", "ShippingCarrier": "PostNord",
        "CentraShippingMethod": "Home or pick-up", "TrackingNumber": "SI0000014801",
        "TrackingUrl": "https://tracking.example.com/SI0000014801", "PackagesAmount": 1,
        "ShippingDate": "2026-11-21 10:12:00", "MethodForPayment": "Card", "CustomerCurrency": "SEK",
        "GrossPaidPrice": "1948.00", "GrossPaidPriceInCustomerCurrency": "1948.00", "TaxAmount": "389.60",
        "TaxAmountInCustomerCurrency": "389.60", "DiscountValue": "0.00", "DiscountValueInCustomerCurrency": "0.00",
        "ShippingCost": "49.00", "ShippingCostInCustomerCurrency": "49.00", "ShippingTaxAmount": "9.80",
        "ShippingTaxAmountInCustomerCurrency": "9.80", "OrderDate": "2026-11-20 14:03:11",
    }  # fmt: skip


PUSHED = (
    _event(
        "Started Checkout", "2026-11-20T13:58:40Z", {**_TOTALS, "SelectionId": "9b1f6f0c2a", "MethodForPayment": ""}
    ),
    _event("Placed Order", "2026-11-20T14:03:11Z", _ORDER),
    _event("Confirmed Order", "2026-11-20T14:05:00Z", _ORDER),
    _event("Cancelled Order", "2026-11-20T15:00:00Z", {**_ORDER, "$event_id": "50301", "Reason": "Ordered twice"}),
    _event("Refunded Order", "2026-11-29T08:20:11Z", {**_ORDER, "ReturnId": "2301", "Reason": "Too small"}),
    _event("Ordered Product", "2026-11-20T14:03:11Z", {"$event_id": "50302-1", "OrderId": 50302, **_COAT}),
    _event("Shipping Update", "2026-11-21T09:12:00Z", _update("Shipped")),
    _event("Out for delivery", "2026-11-23T06:10:00Z", _update("Out for delivery")),
    _event("Delivered", "2026-11-23T10:42:00Z", _update("Delivered")),
    _event(
        "Reset Password",
        "2026-11-20T12:15:00Z",
        {"$event_id": "reset-5512", "PasswordResetLink": "https://shop.example.com/reset-password?i=4c77&id=e2a9"},
    ),
    _event("Created Account", "2026-11-20T12:05:59Z"),
    _event(
        "Gift Certificate",
        "2026-11-20T12:20:00Z",
        {
            "$eventId": "3301", "$value": "500.00", "Name": "Gift card 500", "Code": "HB-GIFT-500-1",
            "Link": "https://shop.example.com/gift/HB-GIFT-500-1", "Message": "Happy birthday!",
            "Date": "2026-11-20 13:20:00", "DueDate": "2027-11-20 13:20:00", "Description": "Your gift card",
            "Friend": "Jonas Petersen", "ValueInCustomerCurrency": "500.00", "CustomerCurrency": "SEK",
        },
    ),
    _event(
        "Changed Subscription Status",
        "2026-11-20T09:00:00Z",
        {"Subscription": _SUBSCRIPTION, "OldStatus": "active", "NewStatus": "paused", "Reason": "Asked for a break"},
    ),
    _event(
        "Failed Subscription Payment",
        "2026-11-20T09:10:00Z",
        {**_CONTRACT, "Subscription": _SUBSCRIPTION, "ShippingCostInCustomerCurrency": 49, "Reason": "Card expired"},
    ),
    _event("Failed Subscription Payment Update", "2026-11-20T09:20:00Z", {**_CONTRACT, "Reason": "Refused by bank"}),
    _event("Successful Subscription Payment Update", "2026-11-20T09:30:00Z", _CONTRACT),
    _event("Placed Order - resend", "2026-11-24T10:00:00Z", _ORDER),
    _event("(list) Newsletter", "2026-11-20T14:03:11Z", {"source": "checkout"}, consent={"email": True, "sms": False}),
)  # fmt: skip


def _announced(title: str, *events: tuple[str, str, int]) -> Example:
    body = [
        {"type": kind, "action": action, "date": f"2026-11-20 14:03:11.62803{n}", "id": number}
        for n, (kind, action, number) in enumerate(events)
    ]
    return Example(title, {"payload": {"events": body}})


ANNOUNCED = (
    _announced("An order was placed", ("order", "insert", 50214)),
    _announced("A shipment left", ("shipment", "update", 14801), ("order", "update", 50211)),
    _announced("A return was completed", ("return", "update", 2301)),
    _announced("Somebody registered", ("customer", "update", 880101)),
)
