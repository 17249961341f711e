"""What our own events door reads: one event of a shop, its ``data`` shaped as Centra's Klaviyo plugin shapes it.

Only what a mapper reads is declared. Every other key of ``data`` passes through as it came, because merchants' e-mail
templates depend on it; unknown keys around it are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NotRequired, Required, TypeAlias

from pydantic import ConfigDict, Field, with_config
from pydantic_core import core_schema
from typing_extensions import TypedDict

from app.mappers.fields import Amount, Blank, Identifier, Moment, Money, Names, OrElse, Text, names

_open = with_config(ConfigDict(extra="allow"))


def _categories(value: object) -> dict[str, str] | list[str]:
    return names(value) or {}  # PHP writes an empty map as []


Categories: TypeAlias = Annotated[
    Mapping[str, str] | list[str],
    OrElse(
        core_schema.dict_schema(core_schema.str_schema(), core_schema.str_schema()),
        _categories,
        "a map of category id to name, or a list of names, is expected",
        core_schema.list_schema(core_schema.str_schema()),
    ),
]

Reserved = TypedDict(
    "Reserved",
    {"$event_id": Text | None, "$eventId": Text | None, "$value": Amount | None},
    total=False,
)
"""The plugin's spellings of unique id and value; they never reach Klaviyo's properties."""


Part: TypeAlias = Annotated[Blank, Field(default="")]


@_open
class Address(TypedDict):
    """An address, complete: a part that is missing or null is ""."""

    FirstName: Part
    LastName: Part
    Company: Part
    Address1: Part
    Address2: Part
    City: Part
    Region: Part
    Region_code: Part
    Country: Part
    CountryCode: Part
    Zip: Part
    Phone: Part
    Email: Part


@_open
class SubscriptionAddress(TypedDict, total=False):
    """A subscription's address, whose region's code the plugin spells ``RegionCode``."""

    FirstName: Blank
    LastName: Blank
    Company: Blank
    Address1: Blank
    Address2: Blank
    City: Blank
    Region: Blank
    RegionCode: Blank
    Country: Blank
    CountryCode: Blank
    Zip: Blank
    Phone: Blank
    Email: Blank


@_open
class Item(TypedDict, total=False):
    """One line of an order, a cart or a shipment, in both currencies."""

    ProductID: Text | None
    SKU: Text | None
    Quantity: int | None
    GTIN: Text | None
    GrossPaidPrice: Money | None
    GrossPaidPriceInCustomerCurrency: Money | None
    OriginalPrice: Money | None
    OriginalPriceInCustomerCurrency: Money | None
    GrossPaidPricePerUnit: Money | None
    GrossPaidPricePerUnitInCustomerCurrency: Money | None
    Categories: Categories
    TaxAmount: Money | None
    TaxAmountInCustomerCurrency: Money | None
    DiscountValue: Money | None
    DiscountValueInCustomerCurrency: Money | None


@_open
class Shipping(TypedDict, total=False):
    """How an order travels and what that costs."""

    Cost: Money | None
    CostInCustomerCurrency: Money | None
    TaxAmount: Money | None
    TaxAmountInCustomerCurrency: Money | None


class Totals(Reserved, total=False):
    """What orders and shipments have in common."""

    CustomerCurrency: Text | None
    GrossPaidPriceInCustomerCurrency: Money | None
    TaxAmount: Money | None
    TaxAmountInCustomerCurrency: Money | None
    DiscountValue: Money | None
    DiscountValueInCustomerCurrency: Money | None
    Items: list[Item]
    BillingAddress: Address | None
    ShippingAddress: Address | None


@_open
class OrderData(Totals, total=False):
    """An order, a cancelled or refunded one, or a cart at the checkout."""

    OrderId: Text | None
    GrossPaidPricePerUnitInCustomerCurrency: Money | None
    Categories: Names | None
    Shipping: Shipping | None
    ReturnId: Text | None
    SelectionId: Text | None
    AbandonedCartURL: str | None


@_open
class ShipmentData(Totals, total=False):
    """A shipment, or news of it."""

    ShipmentId: Text | None
    UpdateType: Text | None
    GrossPaidPrice: Money | None
    ShippingCost: Money | None
    ShippingCostInCustomerCurrency: Money | None
    ShippingTaxAmount: Money | None
    ShippingTaxAmountInCustomerCurrency: Money | None


@_open
class ProductData(Item, Reserved, total=False):
    """One line of an order, flattened."""

    OrderId: Text | None


@_open
class GiftData(Reserved, total=False):
    """A gift certificate that was bought."""

    Code: Text | None
    ValueInCustomerCurrency: Money | None
    CustomerCurrency: Text | None


@_open
class ResetData(Reserved, total=False):
    """A password reset that was asked for. The link is a secret."""

    PasswordResetLink: Required[Annotated[str, Field(min_length=1)]]


@_open
class Recurring(TypedDict, total=False):
    """What is delivered again and again."""

    SubscriptionId: Text | None


@_open
class SubscriptionData(Reserved, total=False):
    """News of a subscription (the plugin writes its shipping cost as a number)."""

    Subscription: Recurring
    SubscriptionContractId: Text | None
    ShippingCostInCustomerCurrency: Amount | None
    SubscriptionContractAddress: SubscriptionAddress | None


@_open
class PlainData(Reserved, total=False):
    """Nothing that a mapper reads."""


class NewsletterData(TypedDict, total=False):
    """Where somebody opted in."""

    source: Text | None


class Consent(TypedDict, total=False):
    """Channels that somebody opted in to; false and absent mean: did not."""

    email: bool | None
    sms: bool | None


class Customer(TypedDict, total=False):
    """Who it happened to. ``market`` and ``pricelist`` are names; their ids serve the restrictions and scopes."""

    id: Text | None
    email: Text | None
    first_name: Text | None
    last_name: Text | None
    phone: Text | None
    site_language: Text | None
    delivery_country: Text | None
    currency: Text | None
    market: Text | None
    market_id: Text | None
    pricelist: Text | None
    pricelist_id: Text | None
    store_id: Text | None
    address: Address | None


class ShopEvent(TypedDict):
    """Around every event. ``event_id`` is the caller's own, ``metric`` one of the table's names."""

    event_id: Identifier
    metric: Identifier
    occurred_at: Moment
    customer: Customer


class OrderEvent(ShopEvent):
    """Placed, Confirmed, Cancelled or Refunded Order, Started Checkout."""

    data: OrderData


class ShipmentEvent(ShopEvent):
    """Shipping Update, Shipped, Out for delivery, Delivered."""

    data: ShipmentData


class ProductEvent(ShopEvent):
    """Ordered Product on its own."""

    data: ProductData


class GiftEvent(ShopEvent):
    """Gift Certificate."""

    data: GiftData


class ResetEvent(ShopEvent):
    """Reset Password."""

    data: ResetData


class SubscriptionEvent(ShopEvent):
    """The four metrics about subscriptions."""

    data: SubscriptionData


class AccountEvent(ShopEvent):
    """Created Account."""

    data: NotRequired[PlainData]


class NewsletterEvent(ShopEvent):
    """An opt-in to the newsletter, or its end."""

    data: NotRequired[NewsletterData]
    consent: NotRequired[Consent]
