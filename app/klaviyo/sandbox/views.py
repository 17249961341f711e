"""What the ledger tells: the effects of one kind, line by line and in total."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Literal

import orjson
from fastapi import Response

from app.klaviyo.sandbox.accounts import Account
from app.klaviyo.sandbox.ledger import AppliedEvent, ConsentChange, MembershipChange
from app.klaviyo.sandbox.people import Profile

Kind = Literal["events", "profiles", "subscriptions", "lists"]
Effect = AppliedEvent | Profile | ConsentChange | MembershipChange


def ledger(
    accounts: Collection[Account], kind: Kind, *, ids: bool, limit: int | None, offset: int
) -> dict[str, object]:
    """Tell one page of the effects of these accounts; the totals do not depend on the page."""
    effects = [(account, effect) for account in accounts for effect in _effects(account, kind)]
    page = islice(effects, offset, None if limit is None else offset + limit)
    return {
        "kind": kind,
        "totals": {
            "applied": sum(effect.applied for _, effect in effects),
            "repeats": sum(effect.repeats for _, effect in effects),
            "requests": sum(_requests(account, kind) for account in accounts),
        },
        "items": [_id(effect) if ids else _line(account, effect) for account, effect in page],
    }


def as_json(content: object) -> Response:
    """Answer with JSON that takes no detour through pydantic: a ledger may have tens of thousands of lines."""
    return Response(orjson.dumps(content), media_type="application/json")


def _effects(account: Account, kind: Kind) -> Iterable[Effect]:
    if kind == "events":
        return account.events.entries.values()
    if kind == "profiles":
        return account.people.profiles.values()
    return account.consents.entries if kind == "subscriptions" else account.memberships.entries


def _requests(account: Account, kind: Kind) -> int:
    return {
        "events": account.events.requests,
        "profiles": account.profile_requests,
        "subscriptions": account.consents.requests,
        "lists": account.memberships.requests,
    }[kind]


def _id(effect: Effect) -> object:
    if not isinstance(effect, AppliedEvent):
        return effect
    return {
        "account": effect.account,
        "metric": effect.metric,
        "unique_id": effect.unique_id,
        "repeats": effect.repeats,
    }


def _line(account: Account, effect: Effect) -> object:
    if not isinstance(effect, Profile):
        return effect
    return {
        "account": account.id,
        "id": effect.id,
        **{kind: effect.identifiers.get(kind) for kind in ("email", "phone_number", "external_id")},
        **effect.traits,
        "location": effect.location,
        "properties": effect.properties,
        "applied": effect.applied,
        "repeats": effect.repeats,
    }
