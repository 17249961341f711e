"""What Centra's Integration API answers, as far as we read it (see queries.graphql for what is asked).

A field may be absent, when the server refused it, or null. Numbers are exact: they are read from their literals.
"""

from __future__ import annotations

from typing import Required

from typing_extensions import TypedDict

from app.mappers.fields import Amount, Moment, Text


class Named(TypedDict, total=False):
    """A market, a pricelist, a category, a language, a country, a currency."""

    id: Text | None
    name: str | None
    code: str | None
    uri: str | None


class Monetary(TypedDict, total=False):
    """An amount in ``currency``; ``conversionRate`` leads to Centra's base currency."""

    value: Required[Amount]
    conversionRate: Amount | None
    currency: Named | None


class GivenAddress(TypedDict, total=False):
    """An address; ``stateOrProvince`` is free text, ``state`` one of a list."""

    firstName: str | None
    lastName: str | None
    companyName: str | None
    address1: str | None
    address2: str | None
    city: str | None
    zipCode: str | None
    stateOrProvince: str | None
    cellPhoneNumber: str | None
    phoneNumber: str | None
    email: str | None
    country: Named | None
    state: Named | None


class Store(TypedDict, total=False):
    """``type`` is DIRECT_TO_CONSUMER or WHOLESALE."""

    id: Text | None
    type: str | None


class Article(TypedDict, total=False):
    """A product in one size."""

    SKU: str | None
    EAN: str | None
    UPC: str | None
    description: str | None


class Variant(TypedDict, total=False):
    """One look of a product."""

    variantNumber: str | None


class OrderLine(TypedDict, total=False):
    """``quantity`` is what is left of the line; the cancelled pieces are counted apart."""

    id: Required[Text]
    __typename: str | None
    frontendItemId: Text | None
    productNumber: str | None
    productName: str | None
    productVariantName: str | None
    productBrand: str | None
    productExternalUrl: str | None
    size: str | None
    quantity: Required[int]
    cancelledQuantity: int | None
    taxPercent: Amount | None
    hasAnyDiscount: bool | None
    unitOriginalPrice: Monetary | None
    unitPrice: Required[Monetary]
    lineValue: Required[Monetary]
    lineValueExTax: Monetary | None
    brand: Named | None
    category: Named | None
    product: Named | None
    productVariant: Variant | None
    productSize: Article | None


class OrderTotals(TypedDict, total=False):
    """Discounts are below zero."""

    shipping: Monetary | None
    shippingTaxIncluded: Monetary | None
    discounts: Monetary | None
    taxIncluded: Monetary | None
    taxAdded: Monetary | None
    taxDeducted: Monetary | None


class Method(TypedDict, total=False):
    """How it is paid."""

    name: str | None
    uri: str | None
    plugin: str | None


class PriceGroup(TypedDict, total=False):
    """How it is sent."""

    shippingOption: Named | None


class Buyer(TypedDict, total=False):
    """An order's customer."""

    id: Text | None
    email: str | None
    firstName: str | None
    lastName: str | None
    language: Named | None


class Order(TypedDict, total=False):
    """An order as it is now, never as it was when the webhook was sent."""

    number: Required[int]
    status: Required[str]
    isOnHold: bool | None
    isInternal: bool | None
    createdAt: Required[Moment]
    updatedAt: Moment | None
    orderDate: Moment | None
    currencyBaseRate: Amount | None
    grandTotal: Required[Monetary]
    totals: Required[OrderTotals]
    store: Store | None
    market: Named | None
    pricelist: Named | None
    language: Named | None
    paymentMethod: Method | None
    shippingPriceGroup: PriceGroup | None
    billingAddress: GivenAddress | None
    shippingAddress: GivenAddress | None
    lines: Required[list[OrderLine]]
    customer: Buyer | None


class Picture(TypedDict, total=False):
    """In the size that was asked for."""

    url: str | None


class Media(TypedDict, total=False):
    """A product's picture."""

    source: Picture | None


class Display(TypedDict, total=False):
    """How the shop shows a product."""

    uri: str | None
    categories: list[Named] | None
    media: list[Media] | None


class DisplayItem(TypedDict, total=False):
    """``id`` is the first part of a line's ``frontendItemId``."""

    id: Required[Text]
    display: Display | None


class OrderFound(TypedDict, total=False):
    """An order with all that its events need."""

    order: Required[Order]
    displayItems: list[DisplayItem]
    baseCurrency: str | None


class Carrier(TypedDict, total=False):
    """Who carries a parcel, and as what."""

    carrierName: str | None
    serviceName: str | None


class LineRef(TypedDict, total=False):
    """The order line that something is part of."""

    id: Text | None


class Part(TypedDict, total=False):
    """So many pieces of an order line, shipped or returned."""

    quantity: Required[int]
    lineValue: Monetary | None
    orderLine: Required[LineRef]


class Discount(TypedDict, total=False):
    """Below zero."""

    value: Monetary | None


class Shipment(TypedDict, total=False):
    """A parcel, or several that left together. ``number`` is the order's with a running number: 20551-1."""

    id: Required[Text]
    number: Required[Text]
    isShipped: bool | None
    shippedAt: Moment | None
    updatedAt: Moment | None
    numberOfPackages: int | None
    trackingNumber: str | None
    grandTotal: Required[Monetary]
    grandTotalExTax: Monetary | None
    carrierInformation: Carrier | None
    discountsApplied: list[Discount] | None
    shippingAddress: GivenAddress | None
    lines: Required[list[Part]]


class ShipmentFound(OrderFound, total=False):
    """A shipment beside its order."""

    shipment: Required[Shipment]


class Payment(TypedDict, total=False):
    """An entry of a payment's history; refunds may be written below zero."""

    entryType: str | None
    status: str | None
    createdAt: Moment | None
    value: Monetary | None


class ReturnTotals(TypedDict, total=False):
    """What a return costs or gives back beside its lines."""

    shipping: Monetary | None
    discounts: Monetary | None


class Return(TypedDict, total=False):
    """What came back. A completed one may be refunded later, or never."""

    id: Required[Text]
    returnStatus: str | None
    createdAt: Required[Moment]
    comment: str | None
    grandTotal: Required[Monetary]
    grandTotalExTax: Monetary | None
    totals: ReturnTotals | None
    lines: Required[list[Part]]
    refundPaymentHistory: list[Payment] | None


Returned = TypedDict("Returned", {"return": Return})


class ReturnFound(OrderFound, Returned):
    """A return beside its order."""


class Newsletter(TypedDict, total=False):
    """An opt-in."""

    id: Required[Text]
    isActive: bool | None
    createdAt: Moment | None


class Pricelist(Named, total=False):
    """A pricelist has a currency."""

    currency: Named | None


class Account(TypedDict, total=False):
    """A customer; those who only ever bought as guests are not registered."""

    id: Required[Text]
    email: str | None
    firstName: str | None
    lastName: str | None
    cellPhoneNumber: str | None
    phoneNumber: str | None
    createdAt: Required[Moment]
    updatedAt: Moment | None
    isRegistered: bool | None
    language: Named | None
    market: Named | None
    pricelist: Pricelist | None
    country: Named | None
    billingAddress: GivenAddress | None
    newsletterSubscriptions: list[Newsletter] | None


class CustomerFound(TypedDict):
    """A customer."""

    customer: Account
