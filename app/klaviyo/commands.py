"""The things we can ask Klaviyo to do, as plain values that know their stored form.

A mapper makes these; the store keeps what ``stored()`` returns; delivery only ever joins the stored bytes into
requests, so what an operator sees is what was sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, TypeAlias

import orjson

Json: TypeAlias = "None | bool | int | float | Decimal | str | Sequence[Json] | Mapping[str, Json]"


class Kind(StrEnum):
    """What is asked; with the account it names the lane."""

    TRACK = "track"
    UPSERT_PROFILE = "upsert_profile"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    ADD_TO_LIST = "add_to_list"
    REMOVE_FROM_LIST = "remove_from_list"
    ERASE = "erase"


class Stored(NamedTuple):
    """A command as the store keeps it.

    ``key`` is the idempotency key inside one connection, 16 bytes; ``unique_id`` is what people look for. ``profile``
    is Klaviyo's profile resource (``{"type":"profile","attributes":{...}}``), ``payload`` the rest; both JSON.
    """

    kind: Kind
    name: str
    key: bytes
    unique_id: str
    profile: bytes
    payload: bytes


@dataclass(frozen=True)
class Location:
    """A profile's address. It is one value: a part the new address lacks is sent as "", so that an old
    region cannot survive beside a new city.
    """

    address1: str = ""
    address2: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    zip: str = ""


@dataclass(frozen=True)
class Profile:
    """Who. Empty or absent fields are never sent: Klaviyo would clear what it has."""

    email: str | None = None
    phone_number: str | None = None
    external_id: str | None = None
    anonymous_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    organization: str | None = None
    title: str | None = None
    locale: str | None = None
    location: Location | None = None
    properties: Mapping[str, Json] = field(default_factory=dict)

    @property
    def identified(self) -> bool:
        """Whether Klaviyo can tell who this is."""
        return bool(self.email or self.phone_number or self.external_id or self.anonymous_id)

    def resource(self) -> bytes:
        """Klaviyo's profile resource, as JSON."""
        return self._resource

    @cached_property
    def _resource(self) -> bytes:
        # Made once: an order and each of its lines carry the same profile. The fields bear Klaviyo's names.
        attributes = {name: given for name, given in vars(self).items() if given}
        if self.location is not None:
            attributes["location"] = vars(self.location)
        properties = {key: value for key, value in self.properties.items() if value not in (None, "")}
        if properties:
            attributes["properties"] = properties
        else:
            attributes.pop("properties", None)
        return dumps({"type": "profile", "attributes": attributes})


@dataclass(frozen=True, slots=True)
class Track:
    """One Klaviyo event.

    ``unique_id`` (1-255 characters) makes repeats harmless at Klaviyo per profile and metric; ``grain`` is what our
    own key must tell apart beyond metric and ``unique_id``. ``value`` is in major units of ``value_currency``.
    """

    profile: Profile
    metric: str
    properties: Mapping[str, Json]
    time: datetime
    unique_id: str
    value: Decimal | None = None
    value_currency: str | None = None
    backfill: bool = False
    grain: str = ""

    def stored(self) -> Stored:
        """See ``Stored``; the payload is Klaviyo's event attributes without the profile."""
        attributes: dict[str, object] = {
            "metric": {"data": {"type": "metric", "attributes": {"name": self.metric}}},
            "properties": self.properties,
            "time": utc(self.time),
            "unique_id": self.unique_id,
        }
        if self.value is not None:
            attributes["value"] = number(self.value)
            if self.value_currency:
                attributes["value_currency"] = self.value_currency
        if self.backfill:
            attributes["backfill"] = True
        key = digest(self.metric, self.unique_id, self.grain)
        return Stored(Kind.TRACK, self.metric, key, self.unique_id, self.profile.resource(), dumps(attributes))


@dataclass(frozen=True, slots=True)
class UpsertProfile:
    """Create or change a profile. ``unique_id`` names the state (person and version), not the person: a person
    who changes back must be sent again.
    """

    profile: Profile
    unique_id: str

    def stored(self) -> Stored:
        """See ``Stored``; there is nothing but the profile."""
        who = self.profile
        if who.anonymous_id:
            who = replace(who, anonymous_id=None)  # since 2026-01-15 Klaviyo knows it on events only
        return Stored(Kind.UPSERT_PROFILE, "profile", digest(self.unique_id), self.unique_id, who.resource(), b"{}")


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Marketing consent that a person gave. ``list_id`` decides single or double opt-in; ``consented_at`` only
    together with ``historical`` (Klaviyo: historical_import).
    """

    profile: Profile
    unique_id: str
    list_id: str | None = None
    email: bool = True
    sms: bool = False
    source: str = ""
    historical: bool = False
    consented_at: datetime | None = None

    def stored(self) -> Stored:
        """See ``Stored``; the payload says list, channels, source and time of consent."""
        payload = {
            "list_id": self.list_id,
            "channels": _channels(email=self.email, sms=self.sms),
            "source": self.source,
            "historical": self.historical,
            "consented_at": utc(self.consented_at) if self.consented_at else None,
        }
        return Stored(
            Kind.SUBSCRIBE, "subscribe", digest(self.unique_id), self.unique_id, self.profile.resource(), dumps(payload)
        )


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Consent withdrawn. With a ``list_id`` the person is not on, Klaviyo unsubscribes everywhere."""

    profile: Profile
    unique_id: str
    list_id: str | None = None
    email: bool = True
    sms: bool = False

    def stored(self) -> Stored:
        """See ``Stored``; the payload says list and channels."""
        payload = {"list_id": self.list_id, "channels": _channels(email=self.email, sms=self.sms)}
        return Stored(
            Kind.UNSUBSCRIBE,
            "unsubscribe",
            digest(self.unique_id),
            self.unique_id,
            self.profile.resource(),
            dumps(payload),
        )


@dataclass(frozen=True, slots=True)
class Note:
    """Something a mapper left out or decided, for the operator. Never holds a person's particulars."""

    text: str


Command: TypeAlias = Track | UpsertProfile | Subscribe | Unsubscribe


def _channels(*, email: bool, sms: bool) -> list[str]:
    return [name for name, on in (("email", email), ("sms", sms)) if on]


def digest(*parts: str) -> bytes:
    """16 bytes that stand for these texts; a separator keeps ("a","bc") and ("ab","c") apart."""
    return hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]


def number(amount: Decimal) -> int | float:
    """A JSON number with the digits of ``amount`` (exact up to 15 significant digits, Klaviyo stores doubles)."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ``ValueError`` without an offset, which Klaviyo would read as it likes."""
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return moment.astimezone(UTC)


def dumps(value: object) -> bytes:
    """JSON bytes. Decimal becomes a number; a time in UTC ends in ``Z`` and holds whole seconds, as Klaviyo cuts it;
    NaN cannot get in (orjson writes null, mappers never hold one).
    """
    return orjson.dumps(value, default=_decimal, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def _decimal(value: object) -> int | float:
    if isinstance(value, Decimal):
        return number(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
