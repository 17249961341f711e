"""Connections: one store of one platform each, with its settings, its secrets and the addresses it posts to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field, JsonValue
from pydantic.config import JsonDict

from app.connections import connection_place, merge_patch
from app.errors import Conflict, Fault, Invalid, NotFound
from app.mappers.registry import PLATFORMS, platform
from app.mappers.source import Door, Source
from app.refusals import Refusal
from app.routers.auth import OPERATOR, VIEWER, demand, gateway
from app.routers.checks import account_faults, platform_fault, revealed, secrets_faults, settings_faults
from app.routers.gate import keyed_router, refusals
from app.routers.shapes import Answer, Ask, Id, Moment, Name, Page, PathId, moment, now
from app.security import Role, SecretBox, Unsealable, last_four
from app.store import config
from app.store.config import Present
from app.store.tables import connections

ROUTER = keyed_router("/connections", "Connections")

SETTINGS_SHAPES: list[JsonDict] = [{"$ref": f"#/components/schemas/{source.settings.__name__}"} for source in PLATFORMS]
SETTINGS: JsonDict = {"anyOf": [*SETTINGS_SHAPES]}
SECRETS: JsonDict = {
    "anyOf": [{"$ref": f"#/components/schemas/{source.secrets.__name__}"} for source in PLATFORMS],
    "writeOnly": True,
}
SETTINGS_EXAMPLE: JsonDict = {"base_currency": "EUR", "timezone": "Europe/Stockholm"}
Platform = Annotated[
    str, Field(description="The platform.", json_schema_extra={"enum": [source.name for source in PLATFORMS]})
]


class NewConnection(Ask):
    """A store to take webhooks from."""

    id: Id = Field(description="Your own id for it, a part of its webhook URLs; it cannot be changed.")
    platform: Platform
    name: Name = Field(description="Its name for people.")
    account: Id | None = Field(None, description="The Klaviyo account its events go to; until then they wait.")
    enabled: bool = Field(True, description="Whether it takes webhooks.")
    settings: dict[str, JsonValue] = Field(
        {}, description="The platform's settings.", examples=[SETTINGS_EXAMPLE], json_schema_extra=SETTINGS
    )
    secrets: dict[str, JsonValue] = Field(
        {},
        description="The platform's secrets; setting them takes an admin's key.",
        json_schema_extra=SECRETS,
        examples=[{"endpoint_secret": "0f3b7c1de5a94826b1d07e6f4a2c9c1e"}],
    )


class ConnectionChange(Ask):
    """What is named is changed. Settings and secrets merge (RFC 7396): null puts a field back to its default."""

    name: Name = Field(default_factory=str, description="Its name for people.")
    account: Id | None = Field(None, description="The Klaviyo account its events go to; null: they wait.")
    enabled: bool = Field(default_factory=bool, description="Whether it takes webhooks.")
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="Settings to change.", examples=[{"base_currency": "EUR", "cart_link": None}]
    )
    secrets: dict[str, JsonValue] = Field(
        default_factory=dict, description="Secrets to change; this takes an admin's key.", examples=[{}],
        json_schema_extra={"writeOnly": True},
    )  # fmt: skip


class Refused(Answer):
    """What a door turned away. The sender is only told that it was."""

    count: int = Field(description="How often.", examples=[3])
    last_at: Moment = Field(description="When it was last.")
    reason: str = Field(description="Why it was last.", examples=["wrong signature"])


class WebhookUrl(Answer):
    """An address for the platform to post to."""

    door: str = Field(description="What comes in here, as the platform's table calls it.", examples=["events"])
    url: str = Field(description="The address.", examples=["https://gateway.example.com/webhooks/centra/main/events"])
    summary: str = Field(description="What it is for.", examples=["Events of the shop, as signed JSON"])
    open: bool = Field(description="Whether it takes webhooks: the connection is enabled and has a secret for it.")
    refused: Refused | None = Field(description="What was turned away since the gateway started; null: nothing.")


class ConnectionTest(Answer):
    """Whether a connection can do its work."""

    works: bool = Field(description="Whether webhooks come in and everything they need can be fetched.")
    problems: list[str] = Field(description="What keeps it from that, for people.", examples=[[]])
    warning: str | None = Field(description="What will soon: a token that expires.", examples=[None])


class Connection(Answer):
    """A connection."""

    id: str = Field(description="Your own id for it.", examples=["main"])
    platform: str = Field(description="The platform.", examples=["centra"])
    name: str = Field(description="Its name for people.", examples=["Main shop"])
    account: str | None = Field(description="The Klaviyo account its events go to.", examples=["main"])
    enabled: bool = Field(description="Whether it takes webhooks.")
    settings: dict[str, JsonValue] = Field(
        description="The settings that were set; all others have their defaults.", examples=[SETTINGS_EXAMPLE]
    )
    secrets_last_four: dict[str, str] = Field(
        description="The secrets that are set, by the end of each; of a short one nothing is shown.",
        examples=[{"endpoint_secret": "9c1e"}],
    )
    webhook_urls: list[WebhookUrl] = Field(description="Where the platform posts to.")
    created_at: Moment = Field(description="When it was set up.")
    updated_at: Moment = Field(description="When it was last changed.")


@ROUTER.get("", dependencies=[VIEWER], summary="List connections")
async def list_connections(request: Request) -> Page[Connection]:
    """Every connection, by id."""
    rows = await gateway(request).database.read(config.all_connections)
    return Page(items=[_shown(request, row) for row in rows], next=None)


@ROUTER.post("", dependencies=[OPERATOR], summary="Add a connection", status_code=201, responses=refusals(Conflict))
async def add_connection(request: Request, response: Response, body: NewConnection) -> Connection:
    """Set up a store. Everything is checked before anything is kept."""
    parts, at = gateway(request), now()
    if body.secrets:
        demand(request, Role.ADMIN)
    source = platform(body.platform)
    known = {row.id for row in await parts.database.read(config.all_accounts)}
    settings, secrets = merge_patch({}, body.settings), merge_patch({}, body.secrets)
    faults = account_faults(body.account, known)
    if source is None:
        raise Invalid([platform_fault(), *faults])
    _refuse([*faults, *settings_faults(source, settings, ()), *secrets_faults(source, secrets)])
    values = {
        "id": body.id, "platform": body.platform, "account_id": body.account, "name": body.name,
        "enabled": body.enabled, "settings": json.dumps(settings), "created_at": at, "updated_at": at,
        **_sealed(parts.box, body.id, revealed(source, secrets)),
    }  # fmt: skip
    if not await parts.database.write(config.add, connections, values):
        raise Conflict("there is a connection with this id already")
    await parts.connections.refresh()
    response.headers["location"] = f"/api/connections/{body.id}"
    return await show_connection(request, body.id)


@ROUTER.get("/{connection_id}", dependencies=[VIEWER], summary="Show a connection", responses=refusals(NotFound))
async def show_connection(request: Request, connection_id: PathId) -> Connection:
    """One connection, with the addresses its platform posts to."""
    row = await gateway(request).database.read(config.find_connection, connection_id)
    if row is None:
        raise NotFound("there is no such connection")
    return _shown(request, row)


@ROUTER.patch(
    "/{connection_id}", dependencies=[OPERATOR], summary="Change a connection", responses=refusals(NotFound, Conflict)
)
async def change_connection(request: Request, connection_id: PathId, body: ConnectionChange) -> Connection:
    """Change what is named. The whole is checked, with every scope; one fault and nothing is changed."""
    parts = gateway(request)
    if body.secrets:
        demand(request, Role.ADMIN)

    def changed(present: Present) -> Mapping[str, object]:
        return _changed(parts.box, present, body)

    if not await parts.database.write(config.change_connection, connection_id, changed):
        raise NotFound("there is no such connection")
    await parts.connections.refresh()
    return await show_connection(request, connection_id)


@ROUTER.delete(
    "/{connection_id}", dependencies=[OPERATOR], summary="Remove a connection", status_code=204,
    responses=refusals(NotFound, Conflict),
)  # fmt: skip
async def remove_connection(request: Request, connection_id: PathId) -> None:
    """Remove a connection that has received nothing, with its scopes."""
    parts = gateway(request)
    await show_connection(request, connection_id)
    if not await parts.database.write(config.remove_connection, connection_id):
        raise Conflict("it has received webhooks, which are kept: disable it instead")
    await parts.connections.refresh()


@ROUTER.post(
    "/{connection_id}/test", dependencies=[OPERATOR], summary="Test a connection", responses=refusals(NotFound)
)
async def test_connection(request: Request, connection_id: PathId) -> ConnectionTest:
    """Say what is missing, and ask the platform's API for one of everything. Nothing is changed there."""
    parts = gateway(request)
    shown = await show_connection(request, connection_id)
    problems, warning = [], None
    if not shown.enabled:
        problems.append("It is disabled: nothing comes in.")
    elif not any(url.open for url in shown.webhook_urls):
        problems.append("No secret is set for any of its webhook URLs: nothing comes in.")
    if shown.account is None:
        problems.append("It has no Klaviyo account: what comes in waits.")
    ready, api = parts.connections.by_id.get(connection_id), parts.apis.get(shown.platform)
    if ready is None:
        problems.append("Its settings or secrets cannot be read: set them again.")
    elif api is not None:
        checked = await api.check(ready.settings, ready.secrets)
        problems += checked.problems
        warning = checked.token_warning
    return ConnectionTest(works=not problems, problems=problems, warning=warning)


def _changed(box: SecretBox, present: Present, body: ConnectionChange) -> dict[str, object]:
    """The row's new values; raises ``Invalid`` with every fault, ``Conflict``."""
    row, named = present.connection, body.model_fields_set
    source = _platform(row)
    values: dict[str, object] = {name: getattr(body, name) for name in ("name", "enabled") if name in named}
    faults: list[Fault] = []
    secrets: dict[str, object] = {}
    if "account" in named:
        values["account_id"] = body.account
        faults += account_faults(body.account, present.accounts)
    if "settings" in named:
        settings = merge_patch(json.loads(row.settings), body.settings)
        values["settings"] = json.dumps(settings)
        faults += settings_faults(source, settings, present.scopes)
    if body.secrets:
        secrets = merge_patch(_kept_secrets(box, row, body.secrets), body.secrets)
        faults += secrets_faults(source, secrets)
    _refuse(faults)
    if body.secrets:
        values |= _sealed(box, row.id, revealed(source, secrets))
    return {**values, "updated_at": now()}


def _kept_secrets(box: SecretBox, row: config.Found, changes: Mapping[str, object]) -> dict[str, object]:
    """The secrets there are; not opened when the change names them all, which is the way out of a lost master key."""
    if json.loads(row.secret_ends).keys() <= changes.keys():
        return {}
    try:
        opened: dict[str, object] = json.loads(box.open(row.secrets, connection_place(row.id)))
    except Unsealable:
        raise Conflict(
            "the secrets do not open with the present GATEWAY_MASTER_KEY: name every one of them, or restore the key"
        ) from None
    return opened


def _sealed(box: SecretBox, connection_id: str, secrets: Mapping[str, str]) -> dict[str, object]:
    return {
        "secrets": box.seal(json.dumps(secrets), connection_place(connection_id)),
        "secret_ends": json.dumps({name: last_four(secret) for name, secret in secrets.items()}),
    }


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Invalid(faults)


def _platform(row: config.Found) -> Source[Any]:
    source: Source[Any] | None = platform(row.platform)
    if source is None:
        raise Conflict(f"this gateway does not know the platform {row.platform}")
    return source


def _shown(request: Request, row: config.Found) -> Connection:
    source = platform(row.platform)
    return Connection(
        id=row.id, platform=row.platform, name=row.name, account=row.account_id, enabled=row.enabled,
        settings=json.loads(row.settings), secrets_last_four=json.loads(row.secret_ends),
        webhook_urls=[_url(request, row.id, door) for door in (source.doors if source else ())],
        created_at=moment(row.created_at), updated_at=moment(row.updated_at),
    )  # fmt: skip


def _url(request: Request, connection_id: str, door: Door) -> WebhookUrl:
    parts = gateway(request)
    base = parts.settings.public_url or str(request.base_url).rstrip("/")
    ready = parts.connections.by_id.get(connection_id)
    return WebhookUrl(
        door=door.name, url=base + door.path.replace("{connection}", connection_id), summary=door.summary,
        open=ready is not None and door.name in ready.open_doors,
        refused=_refused(parts.refusals.of(connection_id).get(door.name)),
    )  # fmt: skip


def _refused(found: Refusal | None) -> Refused | None:
    return found and Refused(count=found.times, last_at=moment(int(found.at * 1000)), reason=found.reason)
