"""From a customer and an order's addresses to a Klaviyo profile, and whether this person's events are sent at all."""

from __future__ import annotations

from typing import NamedTuple

from app.errors import Unusable
from app.klaviyo.commands import Json, Location, Note, Profile
from app.mappers import identity, money
from app.mappers.centra.schemas import Address, Customer, OrderEvent, ShipmentEvent
from app.mappers.centra.settings import CentraSettings, language

_NOWHERE: Address = {
    "FirstName": "", "LastName": "", "Company": "", "Address1": "", "Address2": "", "City": "", "Region": "",
    "Region_code": "", "Country": "", "CountryCode": "", "Zip": "", "Phone": "", "Email": "",
}  # fmt: skip


class Person(NamedTuple):
    """A profile, or None when this connection keeps the person's events back; and what was left out, or why."""

    profile: Profile | None
    notes: tuple[Note, ...]


def buyer(event: OrderEvent | ShipmentEvent, settings: CentraSettings) -> Person:
    """Whom an order or a shipment is about; see ``person``."""
    data = event["data"]
    return person(
        event["customer"], settings, billing=data.get("BillingAddress"), shipping=data.get("ShippingAddress"),
        paid_in=data.get("CustomerCurrency"),
    )  # fmt: skip


def person(
    customer: Customer,
    settings: CentraSettings,
    *,
    billing: Address | None = None,
    shipping: Address | None = None,
    paid_in: str | None = None,
) -> Person:
    """Whom an event is about.

    What the customer's record lacks comes from who paid, then from who receives: a gift's receiver must not lend the
    giver a phone number. The place is where parcels go. Raises ``Unusable`` when nobody can be told from this.
    """
    kept_back = _withheld(customer, settings, shipping["CountryCode"] if shipping else None)
    if kept_back:
        return Person(None, (kept_back,))
    payer = billing or _NOWHERE
    place = shipping or customer.get("address") or payer
    receiver = shipping or _NOWHERE
    country = customer.get("delivery_country") or place["CountryCode"]
    notes = []

    address = customer.get("email") or payer["Email"] or receiver["Email"]
    email = identity.email(address)
    if address and email is None:
        notes.append(Note("the e-mail address is not valid and was left out"))
    number, dialled_in = customer.get("phone"), country
    for lender in (payer, receiver):
        if not number:
            number, dialled_in = lender["Phone"], lender["CountryCode"]
    phone = identity.phone(number, dialled_in) if number else None
    if number and phone is None:
        notes.append(Note("the phone number is not valid and was left out"))
    currency = customer.get("currency") or paid_in
    known_currency = money.currency(currency)
    if currency and known_currency is None:
        notes.append(Note("the customer's currency is not an ISO 4217 code and was left out"))
    external_id = customer.get("id")
    if not (email or phone or external_id):
        raise Unusable("/customer: no valid e-mail address, phone number or customer id: nobody to tell Klaviyo about")

    properties: dict[str, Json] = {
        "Language": spoken(customer, settings, country),
        "Currency": known_currency,
        "Market": customer.get("market"),
    }
    return Person(
        Profile(
            email=email,
            phone_number=phone,
            external_id=external_id,
            first_name=customer.get("first_name") or payer["FirstName"],
            last_name=customer.get("last_name") or payer["LastName"],
            location=_location(place),
            properties=properties,
        ),
        tuple(notes),
    )


def spoken(customer: Customer, settings: CentraSettings, country: str | None) -> str | None:
    """The language to write to this customer in, ISO 639-1, as the connection's settings choose it."""
    if settings.language_from == "site_language":
        chosen = language(customer.get("site_language"))
    else:
        chosen = settings.country_language.get(country.upper()) if country else None
    return chosen or settings.default_language


def _location(place: Address) -> Location | None:
    parts = (
        place["Address1"],
        place["Address2"],
        place["City"],
        place["Region"],
        place["Country"],
        place["Zip"],
    )
    return Location(*parts) if any(parts) else None


def _withheld(customer: Customer, settings: CentraSettings, country: str | None) -> Note | None:
    """Why this connection keeps the event back, or None. What the event does not say cannot keep it back: our own
    door need not name a pricelist; whoever converts Centra's answers says "" where Centra said nothing.
    """
    if not settings.restricted:
        return None
    limits = settings.restrict
    tests = (
        ("store", [str(store) for store in settings.store_ids], (customer.get("store_id"),)),
        ("market", limits.markets, (customer.get("market"), customer.get("market_id"))),
        ("pricelist", limits.pricelists, (customer.get("pricelist"), customer.get("pricelist_id"))),
        ("country", limits.countries, (customer.get("delivery_country") or country,)),
    )
    for what, allowed, said in tests:
        known = [value for value in said if value is not None]
        if allowed and known and not any(value in allowed for value in known):
            return Note(f"left out: its {what} is not among those this connection sends")
    return None
