"""Joining stored commands into request bodies. Nothing is decoded or made anew: the stored bytes are spliced.

Every function here is deterministic, so that a batch whose fate is unknown can be sent again byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import orjson

from app.klaviyo.commands import Kind
from app.klaviyo.revision import BULK_BYTES, BULK_EVENTS, SUBSCRIBE_PROFILES, UNSUBSCRIBE_PROFILES

SINGLE, BULK = "single", "bulk"
BULK_FROM = 24  # single events: 3,500 calls a minute; bulk: 150. From about 23 a call, bulk carries more.


class Part(Protocol):
    """What is read of a command here."""

    @property
    def id(self) -> int: ...
    @property
    def profile(self) -> bytes: ...
    @property
    def payload(self) -> bytes: ...


P = TypeVar("P", bound=Part)


class Call(NamedTuple):
    """An HTTP request to Klaviyo. ``order`` are the commands' positions as Klaviyo counts them in its pointers."""

    path: str
    body: bytes
    order: tuple[tuple[int, ...], ...]


LIMITS = {
    Kind.TRACK: BULK_EVENTS,
    Kind.SUBSCRIBE: SUBSCRIBE_PROFILES,
    Kind.UNSUBSCRIBE: UNSUBSCRIBE_PROFILES,
}


def call(kind: Kind, form: str, members: Sequence[Part]) -> Call:
    """The request for a batch."""
    if kind is Kind.TRACK:
        return _one_event(members[0]) if form == SINGLE else _many_events(members)
    if kind is Kind.UPSERT_PROFILE:
        return _one_profile(members[0])
    if kind is Kind.SUBSCRIBE:
        return _consent(members, "create")
    if kind is Kind.UNSUBSCRIBE:
        return _consent(members, "delete")
    raise ValueError(f"{kind} has no request yet")


def _one_event(member: Part) -> Call:
    body = b'{"data":{"type":"event","attributes":{"profile":{"data":%b},%b}}' % (member.profile, member.payload[1:])
    return Call("/api/events", body, ((0,),))


def _many_events(members: Sequence[Part]) -> Call:
    """One group a profile; Klaviyo's pointers name the group."""
    groups: dict[bytes, list[int]] = {}
    for position, member in enumerate(members):
        groups.setdefault(member.profile, []).append(position)
    rendered = [
        b'{"type":"event-bulk-create","attributes":{"profile":{"data":%b},"events":{"data":[%b]}}}'
        % (profile, b",".join(b'{"type":"event","attributes":%b}' % members[p].payload for p in positions))
        for profile, positions in groups.items()
    ]
    body = b'{"data":{"type":"event-bulk-create-job","attributes":{"events-bulk-create":{"data":[%b]}}}}' % b",".join(
        rendered
    )
    return Call("/api/event-bulk-create-jobs", body, tuple(tuple(positions) for positions in groups.values()))


def _one_profile(member: Part) -> Call:
    return Call("/api/profile-import", b'{"data":%b}' % member.profile, ((0,),))


def _consent(members: Sequence[Part], verb: str) -> Call:
    """A subscription job for people of one list and source (``alike`` keeps others out)."""
    first = orjson.loads(members[0].payload)
    said = "SUBSCRIBED" if verb == "create" else "UNSUBSCRIBED"
    profiles = [_consenting(member, said) for member in members]
    attributes: dict[str, object] = {"profiles": {"data": profiles}}
    if first.get("source"):
        attributes["custom_source"] = first["source"]
    if first.get("historical"):
        attributes["historical_import"] = True
    job: dict[str, object] = {"type": f"profile-subscription-bulk-{verb}-job", "attributes": attributes}
    if first["list_id"]:
        job["relationships"] = {"list": {"data": {"type": "list", "id": first["list_id"]}}}
    body = orjson.dumps({"data": job})
    return Call(f"/api/profile-subscription-bulk-{verb}-jobs", body, tuple((p,) for p in range(len(members))))


def _consenting(member: Part, said: str) -> dict[str, object]:
    """Klaviyo takes only identifiers and consents here: no names, no properties."""
    given = orjson.loads(member.profile)["attributes"]
    payload = orjson.loads(member.payload)
    consent: dict[str, object] = {"consent": said}
    if payload.get("historical"):
        consent["consented_at"] = payload["consented_at"]
    attributes = {name: given[name] for name in ("email", "phone_number") if name in given}
    if "sms" not in payload["channels"]:
        attributes.pop("phone_number", None)
    attributes["subscriptions"] = {channel: {"marketing": consent} for channel in payload["channels"]}
    return {"type": "profile", "attributes": attributes}


def plan(kind: Kind, members: Sequence[P]) -> list[tuple[str, list[P]]]:
    """Cut due commands into batches: few events go singly at once, many together inside Klaviyo's limits."""
    if kind is Kind.UPSERT_PROFILE or (kind is Kind.TRACK and len(members) < BULK_FROM):
        return [(SINGLE, [member]) for member in members]
    return [(BULK, batch) for batch in _cut(kind, members)]


def _cut(kind: Kind, members: Iterable[P]) -> Iterable[list[P]]:
    """By count, by bytes, and so that no event id repeats for a profile (Klaviyo refuses the whole request)."""
    open_batches: dict[bytes, list[P]] = {}
    sizes: dict[bytes, int] = {}
    seen: dict[bytes, set[object]] = {}
    for member in members:
        alike = _alike(kind, member)
        size = len(member.profile) + len(member.payload) + 100
        once = _once(kind, member)
        batch = open_batches.setdefault(alike, [])
        full = len(batch) == LIMITS[kind] or sizes.get(alike, 0) + size > BULK_BYTES
        if batch and (full or once in seen[alike]):
            yield batch
            batch = open_batches[alike] = []
        if not batch:
            sizes[alike], seen[alike] = 0, set()
        batch.append(member)
        sizes[alike] += size
        seen[alike].add(once)
    yield from (batch for batch in open_batches.values() if batch)


def _alike(kind: Kind, member: Part) -> bytes:
    """What all members of one request must share: list, source and channels of a consent."""
    if kind not in (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE):
        return b""
    payload = orjson.loads(member.payload)
    return orjson.dumps([payload["list_id"], payload["channels"], payload.get("source"), payload.get("historical")])


def _once(kind: Kind, member: Part) -> object:
    if kind is Kind.TRACK:
        event = orjson.loads(member.payload)
        return (event["metric"]["data"]["attributes"]["name"], event["unique_id"])
    identity = orjson.loads(member.profile)["attributes"]
    return identity.get("email") or identity.get("phone_number") or identity.get("external_id") or member.id


def without_phone(profile: bytes) -> bytes | None:
    """The profile without its phone number; None when nothing would identify the person then."""
    resource = orjson.loads(profile)
    if resource["attributes"].pop("phone_number", None) is None:
        return None
    known = ("email", "external_id", "anonymous_id")
    return orjson.dumps(resource) if any(resource["attributes"].get(name) for name in known) else None
