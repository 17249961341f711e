"""Valid bodies, one of each kind, for the tests to send as they are or to spoil."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Json = dict[str, Any]


def event_attributes(**changes: object) -> Json:
    return {
        "metric": {"data": {"type": "metric", "attributes": {"name": "Placed Order"}}},
        "properties": {"OrderId": "5001", "ItemNames": ["Mössa", "Vantar"], "$extra": {"html": "<p/>"}},
        "time": "2026-11-20T10:30:00+01:00",
        "value": 349.5,
        "value_currency": "SEK",
        "unique_id": "shop:5001",
        **changes,
    }


def profile(**changes: object) -> Json:
    return {"type": "profile", "attributes": {"email": "eva.berg@kund.example.com", **changes}}


def event(who: Json | None = None, **changes: object) -> Json:
    attributes = {**event_attributes(**changes), "profile": {"data": who or profile()}}
    return {"data": {"type": "event", "attributes": attributes}}


def group(who: Json, *events: Json, **more: object) -> Json:
    entries = [{"type": "event", "attributes": attributes} for attributes in events]
    attributes = {"profile": {"data": who}, "events": {"data": entries}, **more}
    return {"type": "event-bulk-create", "attributes": attributes}


def bulk(*groups: Json) -> Json:
    return {"data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": list(groups)}}}}


def upsert(**changes: object) -> Json:
    return {"data": profile(**changes)}


def bulk_import(*people: Json, lists: tuple[str, ...] = ()) -> Json:
    job: Json = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": list(people)}}}
    if lists:
        job["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id} for list_id in lists]}}
    return {"data": job}


def grant(**more: object) -> Json:
    return {"consent": "SUBSCRIBED", **more}


def subscriber(subscriptions: Json | None = None, **changes: object) -> Json:
    chosen = subscriptions if subscriptions is not None else {"email": {"marketing": grant()}}
    return {
        "type": "profile",
        "attributes": {"email": "eva.berg@kund.example.com", "subscriptions": chosen, **changes},
    }


def _job(kind: str, people: tuple[Json, ...], list_id: str | None, **more: object) -> Json:
    job: Json = {"type": kind, "attributes": {"profiles": {"data": list(people)}, **more}}
    if list_id:
        job["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return {"data": job}


def subscribe(*people: Json, list_id: str | None = None, **more: object) -> Json:
    return _job("profile-subscription-bulk-create-job", people, list_id, **more)


def leaver(subscriptions: Json | None = None, **changes: object) -> Json:
    return subscriber(subscriptions or {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}}, **changes)


def unsubscribe(*people: Json, list_id: str | None = None) -> Json:
    return _job("profile-subscription-bulk-delete-job", people, list_id)


def suppress(*emails: str, kind: str = "create") -> Json:
    people = tuple({"type": "profile", "attributes": {"email": email}} for email in emails)
    return _job(f"profile-suppression-bulk-{kind}-job", people, None)


def new_list(name: str, **more: object) -> Json:
    return {"data": {"type": "list", "attributes": {"name": name, **more}}}


def erasure(**attributes: object) -> Json:
    who = {"type": "profile", "attributes": attributes}
    return {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": {"data": who}}}}


def at(body: Json, *path: str | int) -> Any:
    """The part of a body at this path, to be changed in place."""
    part: Any = body
    for step in path:
        part = part[step]
    return part


def put(body: Json, *path: str | int, value: object) -> Json:
    """The body with this value at this path."""
    spoilt = deepcopy(body)
    at(spoilt, *path[:-1])[path[-1]] = value
    return spoilt


def drop(body: Json, *path: str | int) -> Json:
    """The body without what is at this path."""
    spoilt = deepcopy(body)
    del at(spoilt, *path[:-1])[path[-1]]
    return spoilt
