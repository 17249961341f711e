"""Who is who: profiles, the identifiers that lead to them, and what an upsert does to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import orjson

from app.klaviyo.sandbox.shapes import IDENTIFIERS, PatchIdentifiers, PatchProperties, Person

TRAITS = ("first_name", "last_name", "organization", "locale", "title", "image")

Key = tuple[str, str]


@dataclass(slots=True)
class Consent:
    """The state of one channel, such as `email.marketing`; `at` in seconds."""

    status: str
    at: float
    source: str | None = None


@dataclass(slots=True, eq=False)
class Profile:
    """A person; times in seconds. `applied` counts writes that changed something, `repeats` upserts that did not."""

    id: str
    created: float
    updated: float
    identifiers: dict[str, str] = field(default_factory=dict)
    traits: dict[str, object] = field(default_factory=dict)
    location: dict[str, object] = field(default_factory=dict)
    properties: dict[str, object] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    suppressions: dict[str, float] = field(default_factory=dict)
    list_suppressions: dict[str, float] = field(default_factory=dict)
    last_event: float | None = None
    applied: int = 0
    repeats: int = 0

    def content(self) -> bytes:
        """All that a write can change, to tell a write that changed nothing."""
        return orjson.dumps([self.identifiers, self.traits, self.location, self.properties])


class DuplicateProfileError(Exception):
    """The identifiers of an upsert belong to several profiles; `profile_id` is the one in the way."""

    def __init__(self, profile_id: str) -> None:
        super().__init__(profile_id)
        self.profile_id = profile_id


def identifiers(person: Person) -> dict[str, str]:
    """Collect the identifiers given, the most trusted first (Klaviyo: id, e-mail, phone, external id)."""
    attributes: Mapping[str, object] = person["attributes"]
    given = [("id", person.get("id")), *((kind, attributes.get(kind)) for kind in IDENTIFIERS)]
    return {kind: value for kind, value in given if isinstance(value, str)}


def keys(wanted: Mapping[str, str]) -> list[Key]:
    """The identifiers as keys; e-mail addresses are compared without case."""
    return [(kind, value.lower() if kind == "email" else value) for kind, value in wanted.items()]


@dataclass(slots=True)
class People:
    """The profiles of one account."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    _index: dict[Key, Profile] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def find(self, kind: str, value: str) -> Profile | None:
        """Find the profile that holds this identifier."""
        return self._index.get(keys({kind: value})[0])

    def locate(self, wanted: Mapping[str, str]) -> Profile | None:
        """Find the person of an event or a consent.

        A phone or an external id does not lead to a person who has another e-mail address than the one given: families
        share phones, and Klaviyo's external id takes no part in merging.
        """
        for key in keys(wanted):
            found = self._index.get(key)
            if found and (key[0] in ("id", "email") or not ("email" in wanted and "email" in found.identifiers)):
                return found
        return None

    def claim(self, wanted: Mapping[str, str], now: float) -> Profile:
        """Find or create the person; identifiers that nobody else holds become theirs, the others are ignored."""
        found = self.locate(wanted)
        profile, before = found or self._create(now), found.content() if found else b""
        self._adopt(profile, wanted)
        self._count(profile, before, now)
        return profile

    def track(self, person: Person, wanted: Mapping[str, str], now: float) -> Profile:
        """Find or create the person of an event and write what the event says about them; null says nothing.

        `wanted` holds the person's `identifiers`.
        """
        found = self.locate(wanted)
        profile, before = found or self._create(now), found.content() if found else b""
        self._adopt(profile, wanted)
        self._write(profile, person, nulls_clear=False)
        self._count(profile, before, now)
        profile.last_event = now
        return profile

    def upsert(self, person: Person, now: float, *, nulls_clear: bool) -> tuple[Profile, bool]:
        """Create or update by any identifier given; tells the profile and whether it is new.

        Raises DuplicateProfileError when the identifiers belong to several profiles (Klaviyo: 409). `null` clears with
        `nulls_clear` and says nothing without: that is the difference between profile-import and the bulk import.
        """
        wanted = identifiers(person)
        held = [self._index[key] for key in keys(wanted) if key in self._index]
        for other in held:
            if other is not held[0]:
                raise DuplicateProfileError(other.id)
        before = held[0].content() if held else b""
        profile = held[0] if held else self._create(now)
        for kind in IDENTIFIERS:
            if kind in wanted:
                self._attach(profile, kind, wanted[kind])
            elif nulls_clear and kind in person["attributes"]:
                self._detach(profile, kind)
        self._write(profile, person, nulls_clear=nulls_clear)
        if not self._count(profile, before, now):
            profile.repeats += 1
        return profile, not held

    def erase(self, profile: Profile) -> None:
        """Forget the person."""
        del self.profiles[profile.id]
        self._index = {key: holder for key, holder in self._index.items() if holder is not profile}

    def _create(self, now: float) -> Profile:
        profile = Profile(f"01SANDBX{next(self._numbers):018d}", created=now, updated=now)
        self.profiles[profile.id] = profile
        self._index["id", profile.id] = profile
        return profile

    def _adopt(self, profile: Profile, wanted: Mapping[str, str]) -> None:
        for kind, value in wanted.items():
            if kind != "id" and self.find(kind, value) in (None, profile):
                self._attach(profile, kind, value)

    def _count(self, profile: Profile, before: bytes, now: float) -> bool:
        changed = profile.content() != before
        if changed:
            profile.applied += 1
            profile.updated = now
        return changed

    def _attach(self, profile: Profile, kind: str, value: str) -> None:
        self._detach(profile, kind)
        profile.identifiers[kind] = value
        self._index[keys({kind: value})[0]] = profile

    def _detach(self, profile: Profile, kind: str) -> None:
        if kind in profile.identifiers:
            del self._index[keys({kind: profile.identifiers.pop(kind)})[0]]

    def _write(self, profile: Profile, person: Person, *, nulls_clear: bool) -> None:
        attributes: Mapping[str, object] = person["attributes"]
        traits = {name: attributes[name] for name in TRAITS if name in attributes}
        _merge(profile.traits, traits, nulls_clear=nulls_clear)
        _merge(profile.location, person["attributes"].get("location", {}), nulls_clear=nulls_clear)
        _merge(profile.properties, person["attributes"].get("properties") or {}, nulls_clear=nulls_clear)
        if "meta" in person:
            _patch(profile.properties, person["meta"].get("patch_properties", {}))
            self._patch_identifiers(profile, person["meta"].get("patch_identifiers", {}))

    def _patch_identifiers(self, profile: Profile, patch: PatchIdentifiers) -> None:
        for kind, values in patch.get("append", {}).items():
            for value in _as_list(values):
                self._index.setdefault(keys({kind: str(value)})[0], profile)
        for kind, values in patch.get("unappend", {}).items():
            for value in _as_list(values):
                if profile.identifiers.get(kind) != value and self.find(kind, str(value)) is profile:
                    del self._index[keys({kind: str(value)})[0]]


def _merge(into: dict[str, object], changes: Mapping[str, object], *, nulls_clear: bool) -> None:
    for name, value in changes.items():
        if value is not None:
            into[name] = value
        elif nulls_clear:
            into.pop(name, None)


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _patch(properties: dict[str, object], patch: PatchProperties) -> None:
    for name, value in (patch.get("append") or {}).items():
        properties[name] = (_as_list(properties[name]) if name in properties else []) + _as_list(value)
    for name, value in (patch.get("unappend") or {}).items():
        if name in properties:
            gone = _as_list(value)
            properties[name] = [item for item in _as_list(properties[name]) if item not in gone]
    for key in _as_list(patch.get("unset") or []):
        properties.pop(str(key), None)
