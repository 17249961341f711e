"""Scopes: overrides of a connection's settings and account for a part of it, such as one market."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Request
from pydantic import Field, JsonValue

from app.errors import Conflict, Invalid, NotFound
from app.mappers.registry import platform
from app.routers.auth import OPERATOR, VIEWER, gateway
from app.routers.checks import account_faults, scope_faults
from app.routers.gate import keyed_router, refusals
from app.routers.shapes import Answer, Ask, Id, Moment, Page, PathId, moment, now
from app.store import config
from app.store.config import Present

ROUTER = keyed_router("/connections/{connection_id}/scopes", "Scopes")

PathScope = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$",
        description="The part, as its platform names it: `store:1`.",
        examples=["store:1"],
    ),
]


class NewScope(Ask):
    """What is different in one part of a connection."""

    settings: dict[str, JsonValue] = Field(
        description="Laid over the connection's settings (RFC 7396): null puts a field back to its default.",
        examples=[{"newsletter_list_id": "NEWS01"}],
    )
    account: Id | None = Field(None, description="Another Klaviyo account for this part; null: the connection's.")


class Scope(Answer):
    """What is different in one part of a connection."""

    scope: str = Field(description="The part.", examples=["store:1"])
    settings: dict[str, JsonValue] = Field(
        description="What is laid over the connection's settings.", examples=[{"newsletter_list_id": "NEWS01"}]
    )
    account: str | None = Field(description="The Klaviyo account of this part, where it is another.", examples=[None])
    updated_at: Moment = Field(description="When it was last set.")


@ROUTER.get("", dependencies=[VIEWER], summary="List scopes", responses=refusals(NotFound))
async def list_scopes(request: Request, connection_id: PathId) -> Page[Scope]:
    """Every part of a connection that differs, by name."""
    parts = gateway(request)
    if await parts.database.read(config.find_connection, connection_id) is None:
        raise NotFound("there is no such connection")
    rows = await parts.database.read(config.scopes_of, connection_id)
    return Page(items=[_shown(row) for row in rows], next=None)


@ROUTER.get("/{scope}", dependencies=[VIEWER], summary="Show a scope", responses=refusals(NotFound))
async def show_scope(request: Request, connection_id: PathId, scope: PathScope) -> Scope:
    """What differs in one part."""
    rows = await gateway(request).database.read(config.scopes_of, connection_id)
    for row in rows:
        if row.scope == scope:
            return _shown(row)
    raise NotFound("there are no overrides for this")


@ROUTER.put("/{scope}", dependencies=[OPERATOR], summary="Set a scope", responses=refusals(NotFound, Conflict))
async def put_scope(request: Request, connection_id: PathId, scope: PathScope, body: NewScope) -> Scope:
    """Set what differs in one part; what was set before is replaced. Checked as a whole, over the connection's."""
    parts = gateway(request)

    def changed(present: Present) -> Mapping[str, object]:
        return _checked(present, body) | {"connection_id": connection_id, "scope": scope}

    if not await parts.database.write(config.change_scope, connection_id, changed):
        raise NotFound("there is no such connection")
    await parts.connections.refresh()
    return await show_scope(request, connection_id, scope)


@ROUTER.delete(
    "/{scope}", dependencies=[OPERATOR], summary="Remove a scope", status_code=204, responses=refusals(NotFound)
)
async def remove_scope(request: Request, connection_id: PathId, scope: PathScope) -> None:
    """From now on the connection's own settings apply to this part."""
    parts = gateway(request)
    if not await parts.database.write(config.remove_scope, connection_id, scope):
        raise NotFound("there are no overrides for this")
    await parts.connections.refresh()


def _checked(present: Present, body: NewScope) -> dict[str, object]:
    source = platform(present.connection.platform)
    if source is None:
        raise Conflict("this gateway does not know the connection's platform")
    base = json.loads(present.connection.settings)
    faults = scope_faults(source, base, body.settings) + account_faults(body.account, present.accounts)
    if faults:
        raise Invalid(faults)
    return {"settings": json.dumps(body.settings), "account_id": body.account, "updated_at": now()}


def _shown(row: config.Found) -> Scope:
    return Scope(
        scope=row.scope, settings=json.loads(row.settings), account=row.account_id, updated_at=moment(row.updated_at)
    )
