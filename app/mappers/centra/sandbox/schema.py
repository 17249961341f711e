"""What the stand-in believes of Centra's schema: fields by type, and the permission a field needs.

From Centra's published Integration API types; a field of an object type leads to that type, a scalar to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping


def _fields(scalars: str, /, **objects: str) -> dict[str, str]:
    return dict.fromkeys(scalars.split(), "") | objects


_MONEY = "MonetaryValue"

_ORDER_LINE = _fields(
    "id quantity cancelledQuantity hasAnyDiscount discountPercent taxPercent comment frontendItemId productNumber "
    "productName productVariantName productBrand productExternalUrl returnedQuantity size",
    unitOriginalPrice=_MONEY,
    unitPrice=_MONEY,
    lineValue=_MONEY,
    brand="Named",
    category="Named",
    product="Named",
    productVariant="ProductVariant",
    productSize="ProductSize",
)
_ORDER = _fields(
    "id number status isOnHold isInternal createdAt updatedAt orderDate currencyBaseRate",
    grandTotal=_MONEY,
    totals="OrderTotals",
    discountsApplied="OrderDiscount",
    store="Store",
    market="Named",
    pricelist="Pricelist",
    language="Language",
    paymentMethod="PaymentMethod",
    shippingPriceGroup="ShippingPriceGroup",
    billingAddress="Address",
    shippingAddress="Address",
    shipments="Shipment",
    lines="OrderLine",
)
_SHIPMENT = _fields(
    "id number createdAt updatedAt isGoodToGo isShipped isPaid shippedAt numberOfPackages trackingNumber "
    "returnTrackingNumber additionalMessage currencyBaseRate",
    grandTotal=_MONEY,
    carrierInformation="CarrierInformation",
    discountsApplied="OrderDiscount",
    shippingAddress="Address",
    lines="ShipmentLine",
    shipmentPlugin="ShipmentPlugin",
)
_RETURN = _fields(
    "id returnStatus createdAt totalQuantity returnedToStock currencyBaseRate comment",
    grandTotal=_MONEY,
    totals="ReturnTotals",
    lines="ReturnLine",
    refundPaymentHistory="PaymentHistoryEntry",
)

TYPES: Mapping[str, Mapping[str, str]] = {
    "Query": _fields(
        "",
        orders="Order",
        shipments="Shipment",
        returns="Return",
        customers="Customer",
        displayItems="DisplayItem",
        currencies="Currency",
        rateLimits="RateLimit",
    ),
    "RateLimit": _fields("type intervalSeconds quota usedQuota remainingQuota"),
    "Currency": _fields("id code isBase"),
    "MonetaryValue": _fields("value formattedValue conversionRate", currency="Currency"),
    "Named": _fields("id name"),
    "Store": _fields("id type"),
    "Language": _fields("code name"),
    "Country": _fields("code name"),
    "Pricelist": _fields("id name", currency="Currency"),
    "Address": _fields(
        "firstName lastName companyName attention address1 address2 city zipCode stateOrProvince cellPhoneNumber "
        "phoneNumber email vatNumber",
        country="Country",
        state="Country",
    ),
    "OrderTotals": _fields(
        "quantity",
        **dict.fromkeys(
            [
                "lineValues",
                "handling",
                "shipping",
                "shippingTaxIncluded",
                "discounts",
                "taxAdded",
                "taxDeducted",
                "taxIncluded",
            ],
            _MONEY,
        ),
    ),
    "OrderDiscount": _fields("date", value=_MONEY),
    "AppliedVoucher": _fields("date voucherName code", value=_MONEY),
    "PaymentMethod": _fields("uri plugin name"),
    "ShippingPriceGroup": _fields("", shippingOption="ShippingOption"),
    "ShippingOption": _fields("id name uri"),
    "ProductVariant": _fields("id name variantNumber"),
    "ProductSize": _fields("id SKU EAN UPC description"),
    "OrderLine": _ORDER_LINE,
    "ProductOrderLine": _ORDER_LINE,
    "Order": _ORDER,
    "DirectToConsumerOrder": _ORDER | {"customer": "Customer"},
    "Shipment": _SHIPMENT,
    "DirectToConsumerShipment": _SHIPMENT | {"order": "Order"},
    "CarrierInformation": _fields("carrierName serviceName"),
    "ShipmentPlugin": _fields("id name status"),
    "ShipmentLine": _fields("id quantity", lineValue=_MONEY, orderLine="OrderLine"),
    "Return": _RETURN,
    "DirectToConsumerReturn": _RETURN | {"customer": "Customer", "order": "Order"},
    "ReturnTotals": _fields("", shipping=_MONEY, handling=_MONEY, returnCost=_MONEY, discounts=_MONEY),
    "ReturnLine": _fields("id quantity", shipmentLine="ShipmentLine", orderLine="OrderLine"),
    "PaymentHistoryEntry": _fields(
        "id entryType status createdAt paymentMethod externalReference",
        value=_MONEY,
    ),
    "Customer": _fields(
        "id status email firstName lastName cellPhoneNumber phoneNumber createdAt updatedAt totalOrders birthdate "
        "gender isRegistered",
        billingAddress="Address",
        language="Language",
        market="Named",
        pricelist="Pricelist",
        country="Country",
        newsletterSubscriptions="NewsletterSubscription",
    ),
    "NewsletterSubscription": _fields("id email isActive createdAt", country="Country"),
    "DisplayItem": _fields("id", display="Display"),
    "Display": _fields("id name uri", canonicalCategory="Named", categories="Named", media="Media"),
    "Media": _fields("", source="MediaSource"),
    "MediaSource": _fields("type url"),
}

PERMISSIONS: Mapping[str, str] = {
    "Query.orders": "Order:read",
    "Query.shipments": "Shipment:read",
    "Query.returns": "Return:read",
    "Query.customers": "Customer:read",
    "Query.displayItems": "Display:read",
    "Order.billingAddress": "Order.billingAddress:read",
    "Order.shippingAddress": "Order.shippingAddress:read",
    "Order.store": "Store:read",
    "Order.market": "Market:read",
    "Order.shipments": "Shipment:read",
    "Order.customer": "Customer:read",
    "OrderLine.brand": "Brand:read",
    "OrderLine.category": "Category:read",
    "OrderLine.product": "Product:read",
    "OrderLine.productVariant": "ProductVariant:read",
    "OrderLine.productSize": "ProductSize:read",
    "Shipment.shippingAddress": "Shipment.shippingAddress:read",
    "Shipment.order": "Order:read",
    "ShipmentLine.orderLine": "Order:read",
    "Return.comment": "Return.comment:read",
    "Return.refundPaymentHistory": "PaymentHistory:read",
    "Return.customer": "Customer:read",
    "Return.order": "Order:read",
    "ReturnLine.orderLine": "Order:read",
    "ReturnLine.shipmentLine": "Shipment:read",
    "Customer.billingAddress": "Customer.billingAddress:read",
    "Customer.totalOrders": "Customer.totalOrders:read",
    "Display.canonicalCategory": "Category:read",
    "Display.categories": "Category:read",
}

EVERY_PERMISSION = frozenset(PERMISSIONS.values())

ARGUMENTS = frozenset({"where", "limit", "page", "sort", "includingTax", "includeFullyCancelled", "sizeName"})
