"""What every event of a webhook comes to, from stored bytes and settings alone: the pure middle of translation.

Used by the translator, by previews and by replays; two calls with the same arguments give the same commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from app.connections import Connected
from app.errors import Unusable, faults_of
from app.klaviyo.commands import Note, Stored, Track
from app.mappers.source import Door, Event, Need
from app.mappers.source import Mapping as EventMapping
from app.telemetry import log


class Made(NamedTuple):
    """A command and the account it is for."""

    account_id: str
    stored: Stored
    backfill: bool


class Judged(NamedTuple):
    """One event's end: a state, the reason for an operator, what the mapper noted, and its commands."""

    event: str
    slug: str | None
    state: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    commands: tuple[Made, ...] = ()


class Missing(NamedTuple):
    """An event that cannot be mapped yet: something must be fetched, or (``need`` None) an operator must act."""

    event: str
    slug: str
    need: Need | None
    reason: str


def judge(
    connected: Connected, door: Door, body: bytes, answers: Mapping[str, bytes], *, origin: str = "push"
) -> list[Judged | Missing]:
    """What every event of a webhook comes to, from stored bytes alone. Never raises for what a body holds."""
    try:
        events = door.events(body)
    except Unusable as error:
        return [Judged("", None, "quarantined", str(error))]
    except Exception as error:  # a door's fault must cost one webhook, not the queue
        log.exception("door_failed", connection=connected.id, door=door.name, problem=type(error).__name__)
        reason = f"the door failed ({type(error).__name__}): a fault of the gateway, replay after it is mended"
        return [Judged("", None, "quarantined", reason)]
    return [_judge_event(connected, event, answers, origin == "backfill") for event in events]


def _judge_event(connected: Connected, event: Event, answers: Mapping[str, bytes], backfill: bool) -> Judged | Missing:
    source = connected.source
    mapping = source.table.get(event.name)
    if mapping is None:
        reason = source.ignored.get(event.name)
        if reason is not None:
            return Judged(event.name, None, "ignored", reason)
        return Judged(event.name, None, "unknown", f"no mapping for this event of {source.title}")
    try:
        read = event.body
        if mapping.need is not None:
            need = mapping.need(event.body)
            if need.name not in answers:
                return Missing(event.name, mapping.slug, need, f"{need.name} was not fetched yet")
            read = orjson.loads(answers[need.name])
        return _map(connected, event.name, mapping, read, backfill)
    except ValidationError as error:
        faults = faults_of(error)
        reason = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:5])
    except Unusable as error:
        reason = str(error)
    except Exception as error:  # a mapper's fault must cost one event, not the queue
        log.exception("mapper_failed", connection=connected.id, slug=mapping.slug, problem=type(error).__name__)
        reason = f"the mapper failed ({type(error).__name__}): a fault of the gateway, replay after it is mended"
    return Judged(event.name, mapping.slug, "quarantined", reason)


def _map(
    connected: Connected, name: str, mapping: EventMapping[Any, Any], read: object, backfill: bool
) -> Judged | Missing:
    value = mapping.schema.validate_python(read)
    effective = connected.effective(connected.source.scopes_of(value) if connected.scopes else ())
    if effective.account_id is None:
        return Missing(name, mapping.slug, None, "the connection has no Klaviyo account yet")
    made: list[Made] = []
    notes: list[str] = []
    for result in mapping.map(value, effective.settings):
        if isinstance(result, Note):
            notes.append(result.text)
        elif isinstance(result, Track) and backfill:
            made.append(Made(effective.account_id, replace(result, backfill=True).stored(), True))
        else:
            made.append(Made(effective.account_id, result.stored(), False))
    if made:
        return Judged(name, mapping.slug, "mapped", "", tuple(notes), tuple(made))
    return Judged(name, mapping.slug, "ignored", "; ".join(notes), tuple(notes))
