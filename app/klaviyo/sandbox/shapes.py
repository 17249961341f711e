"""The closed shapes that several bodies share: profiles in events, upserts and imports, and references to lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Generic, Literal, NotRequired, TypeVar

from pydantic import AfterValidator, ConfigDict, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from app.klaviyo.sandbox.fields import (
    EVENT_PROFILE_BYTES,
    PROFILE_BYTES,
    Coordinate,
    Email,
    Identifier,
    Keys,
    Phone,
    Properties,
    Text,
    fits,
)

CLOSED = ConfigDict(extra="forbid", strict=True)
IDENTIFIERS = ("email", "phone_number", "external_id", "anonymous_id", "_kx")


@with_config(CLOSED)
class Location(TypedDict, total=False):
    """Where a person is; `null` clears a line in an upsert."""

    address1: Text | None
    address2: Text | None
    city: Text | None
    country: Text | None
    latitude: Coordinate
    longitude: Coordinate
    region: Text | None
    zip: Text | None
    timezone: Text | None
    ip: Text | None


@with_config(CLOSED)
class ProfileAttributes(TypedDict, total=False):
    """A person; custom keys go to `properties`, consent cannot be set here."""

    email: Email | None
    phone_number: Phone | None
    external_id: Identifier | None
    _kx: Identifier | None
    first_name: Text | None
    last_name: Text | None
    organization: Text | None
    locale: Text | None
    title: Text | None
    image: Text | None
    location: Location
    properties: Properties | None


@with_config(CLOSED)
class EventProfileAttributes(ProfileAttributes, total=False):
    """A person in an event, where an anonymous browser counts as an identifier too."""

    anonymous_id: Identifier | None


@with_config(CLOSED)
class PatchProperties(TypedDict, total=False):
    """Changes to single custom properties."""

    append: Properties | None
    unappend: Properties | None
    unset: Keys


@with_config(CLOSED)
class PatchIdentifiers(TypedDict, total=False):
    """Further identifiers of one person, such as a second e-mail address."""

    append: Properties
    unappend: Properties


@with_config(CLOSED)
class ProfileMeta(TypedDict, total=False):
    """What `data.meta` of a profile may hold; inside an event it sits beside `attributes`, never within."""

    patch_properties: PatchProperties
    patch_identifiers: PatchIdentifiers


Attributes = TypeVar("Attributes", bound=ProfileAttributes)


@with_config(CLOSED)
class Resource(TypedDict, Generic[Attributes]):
    """A profile as a JSON:API resource."""

    type: Literal["profile"]
    id: NotRequired[Identifier | None]
    attributes: Attributes
    meta: NotRequired[ProfileMeta]


def _identified(profile: Resource[Attributes]) -> Resource[Attributes]:
    attributes: Mapping[str, object] = profile["attributes"]
    if profile.get("id") is None and all(attributes.get(kind) is None for kind in IDENTIFIERS):
        raise PydanticCustomError("invalid", "A profile needs at least one identifier.")
    return profile


def _of_100_kb(profile: Resource[Attributes]) -> Resource[Attributes]:
    if not fits(profile, PROFILE_BYTES):
        raise PydanticCustomError("invalid", "A profile cannot exceed 100 KB.")
    return profile


def _of_95_kb(profile: Resource[Attributes]) -> Resource[Attributes]:
    if not fits(profile, EVENT_PROFILE_BYTES):
        raise PydanticCustomError("invalid", "The profile of an event cannot exceed 95 KB.")
    return profile


@with_config(CLOSED)
class ListReference(TypedDict):
    """A list that exists."""

    type: Literal["list"]
    id: str


Person = Resource[ProfileAttributes] | Resource[EventProfileAttributes]
ProfileResource = Annotated[Resource[ProfileAttributes], AfterValidator(_identified), AfterValidator(_of_100_kb)]
EventProfileResource = Annotated[
    Resource[EventProfileAttributes], AfterValidator(_identified), AfterValidator(_of_95_kb)
]
