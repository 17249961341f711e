"""The sandbox's own routes: read the ledger and the calls, script faults, revoke keys, speed the windows up."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import FastAPI, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app.klaviyo.sandbox.accounts import Key, Scope
from app.klaviyo.sandbox.faults import Rule, RuleReport
from app.klaviyo.sandbox.views import Kind, as_json, ledger
from app.klaviyo.sandbox.world import DEFAULT_ACCOUNT, World


class KeyChange(BaseModel):
    """A key to create or change; an absent line leaves a known key as it is, and a new key gets the default."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1)]
    account: str | None = Field(None, description="Created when it does not exist; SANDBX for a new key without one.")
    scopes: list[Scope] | None = Field(None, description="null: every scope.")
    revoked: bool = False


class KeyState(BaseModel):
    """A key as it is now."""

    key: str
    account: str
    scopes: list[Scope] | None
    revoked: bool


class Pace(BaseModel):
    """How the windows run.

    `scale` 60 lets a minute pass in one real second; a huge one switches the limits off in practice. `Retry-After` is
    always the real time left, rounded up to a whole second. `aligned` windows begin at whole seconds and minutes of the
    clock instead of with the first call.
    """

    model_config = ConfigDict(extra="forbid")

    scale: float = Field(1.0, gt=0)
    aligned: bool = False


def add_routes(app: FastAPI, world: World) -> None:
    """Give the application the routes under `/sandbox` for this world."""
    for add in (_add_ledger, _add_calls, _add_faults, _add_keys, _add_clock):
        add(app, world)


def _add_ledger(app: FastAPI, world: World) -> None:
    @app.get("/sandbox/ledger")
    async def read_ledger(
        kind: Kind,
        account: str | None = None,
        fields: Annotated[
            Literal["ids"] | None, Query(description="Events: account, metric, unique id, repeats.")
        ] = None,
        limit: Annotated[int | None, Query(ge=1)] = None,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        """What was applied, in the order in which it was, with the number of times the same effect was sent again.

        Answers `{kind, totals: {applied, repeats, requests}, items: [...]}`; the totals do not depend on the page.
        """
        accounts = [entry for entry in world.accounts.values() if account in (None, entry.id)]
        return as_json(ledger(accounts, kind, ids=fields == "ids", limit=limit, offset=offset))

    @app.delete("/sandbox/ledger", status_code=204)
    async def clear_ledger() -> None:
        """Forget everything that was applied; accounts, keys, lists, faults and the call log stay."""
        for account in world.accounts.values():
            account.forget()


def _add_calls(app: FastAPI, world: World) -> None:
    @app.get("/sandbox/calls")
    async def read_calls(path: str | None = None, account: str | None = None) -> Response:
        """The last 10,000 calls, oldest first; `status` is null for a connection that was cut."""
        kept = [
            record
            for record in world.calls.records
            if path in (None, record.path) and account in (None, record.account)
        ]
        return as_json({"total": world.calls.total, "items": kept})

    @app.delete("/sandbox/calls", status_code=204)
    async def clear_calls() -> None:
        """Forget the calls."""
        world.calls.clear()


def _add_faults(app: FastAPI, world: World) -> None:
    @app.post("/sandbox/faults")
    async def script_faults(rules: list[Rule]) -> list[RuleReport]:
        """Add rules behind the present ones; answers them all."""
        world.faults.script(rules)
        return world.faults.report()

    @app.get("/sandbox/faults")
    async def read_faults() -> list[RuleReport]:
        """Every rule, with how many calls it matched and how often it acted."""
        return world.faults.report()

    @app.delete("/sandbox/faults", status_code=204)
    async def clear_faults() -> None:
        """Let everything work again."""
        world.faults.clear()


def _add_keys(app: FastAPI, world: World) -> None:
    @app.post("/sandbox/keys")
    async def change_key(change: KeyChange) -> KeyState:
        """Create, revoke or restore a key, or change its scopes."""
        key = world.keys.get(change.key) or world.issue(Key(change.key, change.account or DEFAULT_ACCOUNT))
        if change.account is not None:
            key.account = world.open(change.account).id
        if "scopes" in change.model_fields_set:
            key.scopes = None if change.scopes is None else frozenset(change.scopes)
        if "revoked" in change.model_fields_set:
            key.revoked = change.revoked
        scopes = None if key.scopes is None else sorted(key.scopes)
        return KeyState(key=key.key, account=key.account, scopes=scopes, revoked=key.revoked)


def _add_clock(app: FastAPI, world: World) -> None:
    @app.post("/sandbox/clock")
    async def retime(pace: Pace) -> Pace:
        """Let the rate-limit windows run faster or slower; all of them start anew."""
        world.windows.retime(scale=pace.scale, aligned=pace.aligned)
        return pace
