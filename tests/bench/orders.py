"""The load: full-payload Placed Orders of about 2.5 kB for the Centra events door, each with its own id and person."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

SECRET = "bench-endpoint-secret"
CONNECTION = "bench"
PATH = f"/webhooks/centra/{CONNECTION}/events"

_ADDRESS = {
    "FirstName": "Maja", "LastName": "Öberg", "Company": "Tallbacken AB", "Address1": "Storgatan 21 B",
    "Address2": "3 tr", "City": "Uppsala", "Region": "", "Region_code": "", "Country": "Sweden",
    "CountryCode": "SE", "Zip": "753 31", "Phone": "@PHONE@", "Email": "@EMAIL@",
}  # fmt: skip
_ITEM = {
    "ProductID": "70021", "SKU": "KN-4410-BLU-M", "ProductName": "Knitted sweater Blue", "Quantity": 2,
    "GTIN": "7350012340017", "Size": "M", "VariantName": "Blue", "GrossPaidPrice": "898.00",
    "GrossPaidPriceInCustomerCurrency": "78.77", "OriginalPrice": "998.00",
    "OriginalPriceInCustomerCurrency": "87.54", "GrossPaidPricePerUnit": "449.00",
    "GrossPaidPricePerUnitInCustomerCurrency": "39.39", "ProductURL": "https://shop.example.com/p/knitted-sweater",
    "ImageURL": "https://cdn.example.com/images/70021-full.jpg", "Categories": {"4": "Knitwear", "9": "New in"},
    "Brand": "Tallbacken", "TaxAmount": "179.60", "TaxAmountInCustomerCurrency": "15.75", "TaxPercent": 25,
    "Discounted": True, "DiscountValue": "100.00", "DiscountValueInCustomerCurrency": "8.77",
    "ProductType": "product",
}  # fmt: skip
_ORDER = {
    "event_id": "evt-@ID@",
    "metric": "Placed Order",
    "occurred_at": "2026-11-20T11:59:58Z",
    "customer": {
        "id": "@ID@", "email": "@EMAIL@", "first_name": "Maja", "last_name": "Öberg", "phone": "@PHONE@",
        "site_language": "sv", "delivery_country": "SE", "currency": "EUR", "market": "Sweden",
    },
    "data": {
        "$event_id": "@ID@", "$value": 957.0, "CustomerCurrency": "EUR",
        "GrossPaidPriceInCustomerCurrency": "83.95", "TaxAmount": "191.40", "TaxAmountInCustomerCurrency": "16.79",
        "Categories": ["Knitwear", "New in"], "ItemNames": ["Knitted sweater Blue"], "Brands": ["Tallbacken"],
        "DiscountValue": "0.00", "DiscountValueInCustomerCurrency": "0.00", "Items": [_ITEM],
        "BillingAddress": _ADDRESS, "ShippingAddress": _ADDRESS,
        "Shipping": {
            "Method": "Home delivery", "Service": "", "Carrier": "", "CentraShippingMethod": "Home delivery",
            "Cost": "59.00", "CostInCustomerCurrency": "5.18", "TaxAmount": "11.80",
            "TaxAmountInCustomerCurrency": "1.04",
        },
        "MethodForPayment": "Card",
    },
}  # fmt: skip
_TEMPLATE = json.dumps(_ORDER, ensure_ascii=False)


def body(n: int) -> bytes:
    """The n-th order: its own id, e-mail and (valid Swedish mobile) phone."""
    text = _TEMPLATE.replace("@ID@", str(10_000_000 + n)).replace("@EMAIL@", f"maja.oberg{n}@example.com")
    return text.replace("@PHONE@", f"+4670{n % 10_000_000:07d}").encode()


def request(n: int, now: int | None = None) -> bytes:
    """One complete signed keep-alive HTTP/1.1 request."""
    raw = body(n)
    stamp = int(time.time()) if now is None else now
    signature = hmac.digest(SECRET.encode(), b"%d." % stamp + raw, hashlib.sha256).hex()
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"x-centra-signature: t={stamp},v1={signature}\r\ncontent-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw
