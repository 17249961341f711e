"""Webhooks: what came in, what became of it, what was sent because of it, and translating it once more."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import orjson
from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field

from app.errors import Fault, Invalid, NotFound
from app.routers.auth import OPERATOR, VIEWER, gateway
from app.routers.commands import CommandFound, found
from app.routers.gate import keyed_router, refusals
from app.routers.shapes import (
    Answer,
    Ask,
    Id,
    Moment,
    Page,
    Paging,
    PathRowId,
    RowId,
    moment,
    moment_or_none,
    now,
    page,
)
from app.store import commands, config, webhooks
from app.store.config import Found
from app.store.engine import Database

ROUTER = keyed_router("/webhooks", "Webhooks received")

MOST_REPLAYED = 1000

State = Literal["waiting", "quarantined", "mapped", "unknown", "ignored"]
StateField = Annotated[
    State,
    Field(
        description="waiting: not translated yet; mapped: became commands; ignored: on purpose; unknown: no mapping "
        "for this event; quarantined: could not be used, kept. Of many events, the most urgent state.",
        examples=["mapped"],
    ),
]


class WebhooksAsked(Paging):
    """Which webhooks."""

    connection: Id | None = Field(None, description="Only those of this connection.")
    state: State | None = Field(None, description="Only those in this state.")


class EventOutcome(Answer):
    """What became of one event of a webhook."""

    event: str = Field(description="What the platform calls it.", examples=["Placed Order"])
    slug: str | None = Field(description="What we call it; null when there is no mapping.", examples=["order_placed"])
    state: str = Field(description="mapped, ignored, unknown or quarantined.", examples=["mapped"])
    reason: str = Field(description="Why, unless it was mapped.", examples=[""])
    notes: list[str] = Field(
        description="What was left out or decided.", examples=[["phone dropped: not a valid number"]]
    )
    commands: int = Field(description="How many commands it makes.", examples=[3])


class WebhookLine(Answer):
    """A webhook in a list."""

    id: str = Field(description="Our id.", examples=["3713823591240073216"])
    connection: str = Field(description="Where it came in.", examples=["main"])
    door: str = Field(description="Which of its doors.", examples=["events"])
    origin: str = Field(description="push, poll, backfill or replay.", examples=["push"])
    received_at: Moment = Field(description="When it came.")
    state: StateField
    events: list[EventOutcome] = Field(description="What became of each of its events; empty while it waits.")
    translated_at: Moment | None = Field(description="When it was translated.")
    tries: int = Field(description="How often translation was tried in vain so far.", examples=[0])
    next_try_at: Moment | None = Field(
        description="When it is tried again; null when it does not wait.", examples=[None]
    )
    problem: str = Field(description="Why it still waits.", examples=[""])


class Content(Answer):
    """Bytes: as text where they are UTF-8, else in base64."""

    text: str | None = Field(description="The text; null when it is not UTF-8.", examples=['{"metric":"Placed Order"}'])
    base64: str | None = Field(description="The bytes in base64; null when there is a text.", examples=[None])


class WebhookFound(WebhookLine):
    """A webhook with everything that is known of it."""

    body: Content = Field(description="What was posted, byte for byte.")
    answers: dict[str, Content] = Field(description="What was fetched from the platform to translate it.")
    commands: list[CommandFound] = Field(
        description="The commands it made first; what an earlier webhook had made already is not here."
    )


class ReplayAsked(Ask):
    """Which webhooks of a connection to translate again: some ids, or those in a state."""

    connection: Id = Field(description="The connection.")
    state: Literal["quarantined", "unknown", "ignored", "mapped"] | None = Field(
        None, description="Those in this state, newest first; or give ids.", examples=["quarantined"]
    )
    ids: list[RowId] | None = Field(
        None, min_length=1, max_length=MOST_REPLAYED, description="These; or give a state.", examples=[None]
    )
    before: RowId | None = Field(
        None,
        description="With a state: only what is older than this id, the `next` of the call before.",
        examples=[None],
    )
    limit: int = Field(100, ge=1, le=MOST_REPLAYED, description="At most so many.")
    dry_run: bool = Field(True, description="Only count them.")


class Replayed(Answer):
    """How many webhooks are translated again."""

    dry_run: bool = Field(description="Whether they were only counted.", examples=[False])
    count: int = Field(description="How many.", examples=[1])
    next: str | None = Field(
        description="Set `before` to this for the next ones; null when these were all.", examples=[None]
    )


@ROUTER.get("", dependencies=[VIEWER], summary="List webhooks")
async def list_webhooks(request: Request, asked: Annotated[WebhooksAsked, Parameters()]) -> Page[WebhookLine]:
    """Webhooks, newest first."""
    rows = await gateway(request).database.read(
        webhooks.page, connection_id=asked.connection, state=asked.state, before=asked.before_id, limit=asked.limit + 1
    )
    return page(rows, asked.limit, lambda row: WebhookLine(**_line(row)))


@ROUTER.get("/{webhook_id:row}", dependencies=[VIEWER], summary="Show a webhook", responses=refusals(NotFound))
async def show_webhook(request: Request, webhook_id: PathRowId) -> WebhookFound:
    """One webhook: its bytes, what became of its events, its commands and the calls made for them."""
    database = gateway(request).database
    stored = await database.read(webhooks.find, int(webhook_id))
    if stored is None:
        raise NotFound("there is no such webhook")
    row, body, answers = stored
    made = await database.read(commands.of_webhook, str(row.connection_id), int(webhook_id))
    calls = await database.read(commands.calls, made)
    return WebhookFound(
        **_line(row),
        body=_content(body),
        answers={need: _content(answer) for need, answer in answers.items()},
        commands=[found(command, calls[command.id]) for command in made],
    )


@ROUTER.post(
    "/{webhook_id:row}/replay", dependencies=[OPERATOR], summary="Replay a webhook", status_code=202,
    responses=refusals(NotFound),
)  # fmt: skip
async def replay_webhook(request: Request, webhook_id: PathRowId) -> Replayed:
    """Translate a webhook again with today's code and settings. What was sent before is not sent twice."""
    stored = await gateway(request).database.read(webhooks.find, int(webhook_id))
    if stored is None:
        raise NotFound("there is no such webhook")
    await _again(request, str(stored[0].connection_id), [int(webhook_id)])
    return Replayed(dry_run=False, count=1, next=None)


@ROUTER.post("/replay", dependencies=[OPERATOR], summary="Replay many webhooks", status_code=202)
async def replay_webhooks(request: Request, body: ReplayAsked) -> Replayed:
    """Translate many webhooks again. Unless `dry_run` is false they are only counted."""
    database = gateway(request).database
    if (body.ids is None) == (body.state is None):
        raise Invalid([Fault("/state", "give either a state or ids"), Fault("/ids", "give either a state or ids")])
    if await database.read(config.find_connection, body.connection) is None:
        raise Invalid([Fault("/connection", "there is no such connection")])
    ids, following = await _chosen(database, body)
    if not body.dry_run:
        await _again(request, body.connection, ids)
    return Replayed(dry_run=body.dry_run, count=len(ids), next=following)


async def _chosen(database: Database, body: ReplayAsked) -> tuple[list[int], str | None]:
    if body.ids is not None:
        return await database.read(webhooks.present, body.connection, [int(id_) for id_ in body.ids]), None
    before = None if body.before is None else int(body.before)
    rows = await database.read(
        webhooks.page, connection_id=body.connection, state=body.state, before=before, limit=body.limit + 1
    )
    ids = [int(row.id) for row in rows[: body.limit]]
    return ids, str(ids[-1]) if len(rows) > body.limit else None


async def _again(request: Request, connection_id: str, ids: list[int]) -> None:
    parts = gateway(request)
    await parts.database.write(webhooks.again, connection_id, ids, now())
    parts.translator.wake.set()


def _line(row: Found) -> dict[str, Any]:
    """The fields of ``WebhookLine``."""
    waits = row.state == "waiting"
    return {
        "id": str(row.id), "connection": row.connection_id, "door": row.door, "origin": row.origin,
        "received_at": moment(row.received_at), "state": row.state,
        "events": [EventOutcome(**event) for event in orjson.loads(row.events or "[]")],
        "translated_at": moment_or_none(row.translated_at), "tries": row.attempts if waits else 0,
        "next_try_at": moment_or_none(row.run_at) if waits else None, "problem": row.problem if waits else "",
    }  # fmt: skip


def _content(body: bytes) -> Content:
    try:
        return Content(text=body.decode(), base64=None)
    except UnicodeDecodeError:
        return Content(text=None, base64=base64.b64encode(body).decode())
