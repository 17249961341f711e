"""Commands: what Klaviyo was or will be asked, the exact request, the calls made for it, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field, JsonValue

from app.errors import NotFound
from app.klaviyo import batches
from app.klaviyo.commands import Kind
from app.routers.auth import VIEWER, gateway
from app.routers.gate import keyed_router, refusals
from app.routers.shapes import (
    Answer,
    Id,
    Moment,
    Page,
    Paging,
    PathRowId,
    moment,
    moment_or_none,
    page,
)
from app.store import commands
from app.store.config import Found

ROUTER = keyed_router("/commands", "Commands")

State = Literal["pending", "sending", "accepted", "rejected", "parked"]
StateField = Annotated[
    State,
    Field(
        description="pending: waits for a batch; sending: in a batch that goes out, again if need be; accepted: "
        "Klaviyo took it; rejected: Klaviyo refused it; parked: given up after seven days, kept.",
        examples=["accepted"],
    ),
]


class CommandsAsked(Paging):
    """Which commands."""

    account: Id | None = Field(None, description="Only those for this account.")
    state: State | None = Field(None, description="Only those in this state.")
    name: str | None = Field(None, min_length=1, max_length=128, description="Only this metric, or `profile`, ...")
    unique_id: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="Only those with this unique id: an order's number, for instance.",
    )


class CommandLine(Answer):
    """A command in a list."""

    id: str = Field(description="Our id.", examples=["3713823591265239042"])
    account: str = Field(description="The account it is for.", examples=["main"])
    connection: str = Field(description="The connection it came from.", examples=["main"])
    webhook: str = Field(description="The webhook that made it.", examples=["3713823591240073216"])
    kind: str = Field(description="What Klaviyo is asked.", examples=["track"])
    name: str = Field(description="The metric, or what is done.", examples=["Placed Order"])
    unique_id: str = Field(description="What makes it one: an order's number, for instance.", examples=["20551"])
    state: StateField
    detail: str = Field(description="What Klaviyo said, unless it took it.", examples=[""])
    created_at: Moment = Field(description="When it was made.")
    settled_at: Moment | None = Field(description="When it ended.")


class KlaviyoRequest(Answer):
    """A request to Klaviyo."""

    path: str = Field(description="Where it is posted.", examples=["/api/events"])
    body: JsonValue = Field(
        description="What is posted, as JSON.",
        examples=[{"data": {"type": "event", "attributes": {"unique_id": "20551", "value": 2395.68}}}],
    )


class Attempt(Answer):
    """One call to Klaviyo."""

    at: Moment = Field(description="When.")
    path: str = Field(description="Where.", examples=["/api/event-bulk-create-jobs"])
    items: int = Field(description="How many commands went together.", examples=[48])
    status: int | None = Field(description="What was answered; null when nothing was.", examples=[202])
    outcome: str = Field(description="What that meant.", examples=["accepted"])
    detail: str = Field(description="What Klaviyo said.", examples=["202: taken"])
    milliseconds: int = Field(description="How long it took.", examples=[118])


class CommandFound(CommandLine):
    """A command with everything that is known of it."""

    request: KlaviyoRequest | None = Field(
        description="The request, as it is when this command is sent alone; null for a kind not sent yet."
    )
    attempts: list[Attempt] = Field(description="The calls made with the batch it travels in, or ended in.")


@ROUTER.get("", dependencies=[VIEWER], summary="List commands")
async def list_commands(request: Request, asked: Annotated[CommandsAsked, Parameters()]) -> Page[CommandLine]:
    """Commands, newest first."""
    rows = await gateway(request).database.read(
        commands.page, account_id=asked.account, state=asked.state, name=asked.name, unique_id=asked.unique_id,
        before=asked.before_id,
        limit=asked.limit + 1,
    )  # fmt: skip
    return page(rows, asked.limit, lambda row: CommandLine(**line(row)))


@ROUTER.get("/{command_id:row}", dependencies=[VIEWER], summary="Show a command", responses=refusals(NotFound))
async def show_command(request: Request, command_id: PathRowId) -> CommandFound:
    """One command: the exact request, the calls made for it, and how it ended."""
    database = gateway(request).database
    row = await database.read(commands.find, int(command_id))
    if row is None:
        raise NotFound("there is no such command")
    return found(row, (await database.read(commands.calls, [row]))[int(command_id)])


def found(row: Found, calls: Sequence[Found]) -> CommandFound:
    """A stored command with its request and calls."""
    asked = klaviyo_request(Kind(row.kind), row.profile, row.payload)
    return CommandFound(**line(row), request=asked, attempts=[_attempt(call) for call in calls])


def line(row: Found) -> dict[str, Any]:
    """The fields of ``CommandLine``."""
    return {
        "id": str(row.id), "account": row.account_id, "connection": row.connection_id, "webhook": str(row.webhook_id),
        "kind": row.kind, "name": row.name, "unique_id": row.unique_id, "state": row.state, "detail": row.detail or "",
        "created_at": moment(row.created_at), "settled_at": moment_or_none(row.settled_at),
    }  # fmt: skip


class _Alone(NamedTuple):
    id: int
    profile: bytes
    payload: bytes


def klaviyo_request(kind: Kind, profile: bytes, payload: bytes) -> KlaviyoRequest | None:
    """What is posted for a command that travels alone; None for a kind that is not sent yet."""
    try:
        call = batches.call(kind, batches.SINGLE, [_Alone(0, profile, payload)])
    except ValueError:
        return None
    return KlaviyoRequest(path=call.path, body=orjson.loads(call.body))


def _attempt(row: Found) -> Attempt:
    return Attempt(
        at=moment(row.at), path=row.path, items=row.items, status=row.status, outcome=row.outcome, detail=row.detail,
        milliseconds=row.milliseconds,
    )  # fmt: skip
