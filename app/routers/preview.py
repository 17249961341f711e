"""Preview: what a webhook would become and what Klaviyo would be sent, without storing or sending anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request
from pydantic import Field, JsonValue, model_validator

from app.connections import Connected, merge_patch
from app.errors import Fault, Invalid
from app.judge import Judged, Made, Missing, judge
from app.mappers.registry import PLATFORMS, platform
from app.mappers.source import Door
from app.routers.auth import OPERATOR, gateway
from app.routers.checks import platform_fault, settings_faults
from app.routers.commands import KlaviyoRequest, klaviyo_request
from app.routers.connections import SETTINGS_SHAPES, Platform
from app.routers.gate import keyed_router
from app.routers.shapes import Answer, Ask, Id

ROUTER = keyed_router("/preview", "Preview")

DOOR = PLATFORMS[0].doors[-1]  # whose example the docs show
NO_ACCOUNT = "(no account yet)"


class PreviewAsked(Ask):
    """A webhook to try: on a connection, or on a platform with settings of its own."""

    connection: Id | None = Field(None, description="With the settings and scopes of this connection.")
    platform: Platform | None = Field(None, examples=[None])
    settings: dict[str, JsonValue] | None = Field(
        None, description="Settings to go with the platform.", examples=[None],
        json_schema_extra={"anyOf": [*SETTINGS_SHAPES, {"type": "null"}]},
    )  # fmt: skip
    door: str = Field(description="The door it comes in by.", min_length=1, max_length=64, examples=[DOOR.name])
    body: JsonValue = Field(
        description="The body: JSON (also that of a form), or a text that is taken as it is.",
        examples=[DOOR.examples[0].body],
    )
    answers: dict[str, JsonValue] = Field(
        {}, description="What the platform would answer, by need: `order:20551`.", examples=[{}]
    )

    @model_validator(mode="before")
    @classmethod
    def _not_bare(cls, value: object) -> object:
        """Most likely the webhook itself was posted: one hint says more than a fault for each of its fields."""
        if isinstance(value, dict) and value.keys().isdisjoint(("door", "body")):
            raise ValueError('put the webhook into {"connection": ..., "door": ..., "body": <the webhook>}')
        return value


class CommandPreview(Answer):
    """A request that would be sent."""

    account: str | None = Field(description="The account; null while the connection has none.", examples=["main"])
    kind: str = Field(description="What Klaviyo is asked.", examples=["track"])
    name: str = Field(description="The metric, or what is done.", examples=["Placed Order"])
    backfill: bool = Field(description="Whether it goes behind live ones and starts no flow.", examples=[False])
    request: KlaviyoRequest | None = Field(description="The request; null for a kind not sent yet.")


class EventPreview(Answer):
    """What one event of the webhook would become."""

    event: str = Field(description="What the platform calls it.", examples=["Placed Order"])
    slug: str | None = Field(description="What we call it.", examples=["order_placed"])
    state: str = Field(
        description="mapped, ignored, unknown, quarantined; waiting: an answer must be fetched first.",
        examples=["mapped"],
    )
    reason: str = Field(description="Why, unless it is mapped.", examples=[""])
    notes: list[str] = Field(description="What is left out or decided.", examples=[[]])
    needs: list[str] = Field(description="What must be fetched first.", examples=[[]])
    commands: list[CommandPreview] = Field(description="What Klaviyo would be sent.")


class Preview(Answer):
    """What a webhook would become."""

    events: list[EventPreview] = Field(description="One entry for each of its events.")


@ROUTER.post("", dependencies=[OPERATOR], summary="Preview a webhook")
async def preview(request: Request, body: PreviewAsked) -> Preview:
    """Map a webhook with today's code. Its signature is not checked; nothing is fetched, stored or sent."""
    connected = _existing(request, body) if body.connection is not None else _made_up(body)
    answers = {need: _bytes(answer) for need, answer in body.answers.items()}
    door = _door(connected, body.door)
    judged = judge(connected, door, on_the_wire(door, body.body), answers)
    return Preview(events=[shown(result) for result in judged])


def _existing(request: Request, body: PreviewAsked) -> Connected:
    if body.platform is not None or body.settings is not None:
        raise Invalid([Fault("/connection", "give either a connection or a platform with settings")])
    connected = gateway(request).connections.by_id.get(body.connection or "")
    if connected is None:
        raise Invalid([Fault("/connection", "there is no such connection")])
    return replace(connected, account_id=connected.account_id or NO_ACCOUNT, _effective={})


def _made_up(body: PreviewAsked) -> Connected:
    if body.platform is None:
        raise Invalid([Fault("/connection", "give either a connection or a platform with settings")])
    source = platform(body.platform)
    if source is None:
        raise Invalid([platform_fault()])
    settings: Mapping[str, Any] = merge_patch({}, body.settings or {})
    faults = settings_faults(source, settings, ())
    if faults:
        raise Invalid(faults)
    return Connected("preview", source, NO_ACCOUNT, True, {}, settings, {})


def _door(connected: Connected, name: str) -> Door:
    doors = {door.name: door for door in connected.source.doors}
    if name not in doors:
        raise Invalid([Fault("/door", f"{connected.source.title} has these doors: {', '.join(doors)}")])
    return doors[name]


def _bytes(value: JsonValue) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def on_the_wire(door: Door, value: JsonValue) -> bytes:
    """The bytes that a platform would post; text is taken as it is.

    A form has a field for each key, JSON in each; what lacks its one needed field is the value of that field.
    """
    if isinstance(value, str) or door.content_type != "application/x-www-form-urlencoded":
        return _bytes(value)
    (field,) = door.schema["required"]
    fields = value if isinstance(value, dict) and field in value else {field: value}
    return urlencode({name: _bytes(part) for name, part in fields.items()}).encode()


def shown(result: Judged | Missing) -> EventPreview:
    """A result as the API tells it."""
    if isinstance(result, Missing):
        return EventPreview(
            event=result.event, slug=result.slug, state="waiting", reason=result.reason, notes=[], commands=[],
            needs=[result.need.name] if result.need else [],
        )  # fmt: skip
    return EventPreview(
        event=result.event, slug=result.slug, state=result.state, reason=result.reason, notes=list(result.notes),
        needs=[], commands=[_command(made) for made in result.commands],
    )  # fmt: skip


def _command(made: Made) -> CommandPreview:
    stored = made.stored
    return CommandPreview(
        account=None if made.account_id == NO_ACCOUNT else made.account_id, kind=stored.kind.value, name=stored.name,
        backfill=made.backfill, request=klaviyo_request(stored.kind, stored.profile, stored.payload),
    )  # fmt: skip
