"""The made-up shop: what it sells, to whom, and how Centra's records of them look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

Record: TypeAlias = dict[str, object]

RATES: Mapping[str, Decimal] = {"SEK": Decimal(1), "EUR": Decimal("11.43"), "NOK": Decimal("0.97")}
CURRENCIES: list[Record] = [
    {"id": 1, "code": "SEK", "isBase": True},
    {"id": 2, "code": "EUR", "isBase": False},
    {"id": 3, "code": "NOK", "isBase": False},
]


@dataclass(frozen=True)
class Product:
    """One size of one variant. ``prices`` by currency, tax included; ``campaign`` in percent off."""

    item: int
    size_id: int
    number: str
    name: str
    variant: str
    size: str
    brand: tuple[int, str]
    categories: tuple[tuple[int, str], ...]
    ean: str
    prices: Mapping[str, Decimal]
    campaign: int = 0

    def price(self, currency: str) -> Decimal:
        """What one costs after the campaign."""
        return cents(self.prices[currency] * (100 - self.campaign) / 100)

    @property
    def display_item(self) -> Record:
        """``{size}`` in the picture's address becomes the size that is asked for."""
        named: list[Record] = [{"id": number, "name": name} for number, name in self.categories]
        picture = f"https://havsbris.example/images/{self.item}-{{size}}.jpg"
        uri = self.name.lower().replace(" ", "-")
        return {
            "id": self.item,
            "display": {
                "id": self.item - 5_000,
                "name": self.name,
                "uri": uri,
                "canonicalCategory": named[0],
                "categories": named,
                "media": [{"source": {"type": "image/jpeg", "url": picture}}],
            },
        }


def _prices(sek: str, eur: str, nok: str) -> Mapping[str, Decimal]:
    return {"SEK": Decimal(sek), "EUR": Decimal(eur), "NOK": Decimal(nok)}


CATALOGUE = {
    product.item: product
    for product in (
        Product(
            6101,
            91011,
            "HB-1001",
            "Skerry Rain Coat",
            "Kelp",
            "M",
            (41, "Havsbris"),
            ((301, "Rainwear"), (300, "Outerwear")),
            "7350012345017",
            _prices("1899.00", "169.00", "1999.00"),
        ),
        Product(
            6102,
            91024,
            "HB-1002",
            "Dunlin Wool Sweater",
            "Driftwood",
            "L",
            (41, "Havsbris"),
            ((310, "Knitwear"),),
            "7350012345024",
            _prices("1295.00", "115.00", "1349.00"),
            campaign=30,
        ),
        Product(
            6103,
            91037,
            "TR-2001",
            "Trosa Canvas Bag",
            "Natural",
            "One size",
            (42, "Tross"),
            ((320, "Bags"), (330, "Accessories")),
            "7350012345031",
            _prices("449.00", "39.90", "469.00"),
        ),
    )
}


@dataclass(frozen=True)
class Person:
    """A customer and how the shop sells to them; ``tax`` in percent, included in every price."""

    id: int
    first_name: str
    last_name: str
    phone: str
    street: str
    zip: str
    city: str
    country: tuple[str, str]
    language: tuple[str, str]
    market: tuple[int, str]
    pricelist: int
    currency: str
    tax: Decimal
    shipping: Decimal
    carrier: tuple[str, str]
    newsletter: bool = False

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@example.com".lower()

    @property
    def country_record(self) -> Record:
        return {"code": self.country[0], "name": self.country[1]}

    @property
    def market_record(self) -> Record:
        return {"id": self.market[0], "name": self.market[1]}

    @property
    def pricelist_record(self) -> Record:
        return {"id": self.pricelist, "name": self.currency, "currency": {"code": self.currency}}

    @property
    def address(self) -> Record:
        return {
            "firstName": self.first_name,
            "lastName": self.last_name,
            "companyName": None,
            "attention": None,
            "address1": self.street,
            "address2": None,
            "city": self.city,
            "zipCode": self.zip,
            "stateOrProvince": None,
            "cellPhoneNumber": self.phone,
            "phoneNumber": None,
            "email": self.email,
            "vatNumber": None,
            "country": self.country_record,
            "state": None,
        }

    def record(self, created: str) -> Record:
        """The customer as Centra keeps it, not registered yet."""
        subscription: Record = {
            "id": self.id + 50_000,
            "email": self.email,
            "isActive": True,
            "createdAt": created,
            "country": self.country_record,
        }
        return {
            "id": self.id,
            "status": "ACTIVE",
            "email": self.email,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "cellPhoneNumber": self.phone,
            "phoneNumber": None,
            "createdAt": created,
            "updatedAt": created,
            "totalOrders": 0,
            "birthdate": None,
            "gender": None,
            "isRegistered": False,
            "language": {"code": self.language[0], "name": self.language[1]},
            "market": self.market_record,
            "pricelist": self.pricelist_record,
            "country": self.country_record,
            "billingAddress": self.address,
            "newsletterSubscriptions": [subscription] if self.newsletter else [],
        }


PEOPLE = {
    person.id: person
    for person in (
        Person(
            880101,
            "Astrid",
            "Nyman",
            "+46701740605",
            "Kajgatan 4",
            "602 23",
            "Norrköping",
            ("SE", "Sweden"),
            ("sv", "Swedish"),
            (1, "Sweden"),
            1,
            "SEK",
            Decimal(25),
            Decimal("49.00"),
            ("PostNord", "MyPack Collect"),
            newsletter=True,
        ),
        Person(
            880102,
            "Jonas",
            "Petersen",
            "+4915112345678",
            "Hafenstraße 12",
            "24103",
            "Kiel",
            ("DE", "Germany"),
            ("de", "German"),
            (2, "Europe"),
            2,
            "EUR",
            Decimal(19),
            Decimal("6.90"),
            ("DHL", "Paket"),
        ),
    )
}


def cents(value: Decimal) -> Decimal:
    """Rounded half up to two places."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def money(value: Decimal, currency: str) -> Record:
    """A MonetaryValue; whole amounts are written without a point, as PHP does."""
    rate = RATES[currency]
    return {
        "value": plain(value),
        "formattedValue": f"{cents(value)} {currency}",
        "conversionRate": plain(rate),
        "currency": {"code": currency},
    }


def plain(value: Decimal) -> int | float:
    """The number JSON shows: 2 rather than 2.0."""
    return int(value) if value == value.to_integral_value() else float(value)


def tax_in(value: Decimal, percent: Decimal) -> Decimal:
    """The tax that is included in ``value``."""
    return cents(value * percent / (100 + percent))
