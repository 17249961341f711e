"""Operator keys: making one, which is shown once, seeing who has which role, and ending one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Request
from pydantic import Field

from app.errors import NotFound
from app.routers.auth import ADMIN, gateway
from app.routers.gate import keyed_router, refusals
from app.routers.shapes import Answer, Ask, Moment, Name, Page, moment, moment_or_none, now
from app.security import new_key
from app.store import config

ROUTER = keyed_router("/keys", "Operator keys")

PathKeyId = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The part of the key that may be known.",
        examples=["5f0c1b7e9a34"],
    ),
]


class NewKey(Ask):
    """A key for somebody."""

    name: Name = Field(description="Whose it is.", examples=["Ann, support"])
    role: Literal["viewer", "operator", "admin"] = Field(
        description="viewer reads; operator also replays, previews and sets up connections and scopes; "
        "admin also accounts, keys and secrets."
    )
    days: int = Field(365, ge=1, le=365, description="How long it lives.")


class Key(Answer):
    """An operator key, without its text."""

    id: str = Field(description="The part of the key that may be known.", examples=["5f0c1b7e9a34"])
    name: str = Field(description="Whose it is.", examples=["Ann, support"])
    role: str = Field(description="What it may do.", examples=["viewer"])
    created_at: Moment = Field(description="When it was made.")
    expires_at: Moment = Field(description="When it ends by itself.")
    revoked_at: Moment | None = Field(description="When it was ended.", examples=[None])


class KeyMade(Key):
    """A new key with its text, which is shown this once."""

    key: str = Field(
        description="Send it as `Authorization: Bearer`. It is not kept: nobody can show it again.",
        examples=["gw_5f0c1b7e9a34_Zb3vK0q9mXh2cT7yN4wJ8sD1fG6lP5rA-uE_oVtiQk"],
    )


@ROUTER.get("", dependencies=[ADMIN], summary="List keys")
async def list_keys(request: Request) -> Page[Key]:
    """Every key that ever was, oldest first."""
    rows = await gateway(request).database.read(config.all_keys)
    return Page(items=[Key(**_shown(row)) for row in rows], next=None)


@ROUTER.post("", dependencies=[ADMIN], summary="Make a key", status_code=201)
async def make_key(request: Request, body: NewKey) -> KeyMade:
    """Make a key. Its text is in this answer and nowhere else."""
    parts, made = gateway(request), new_key()
    await parts.database.write(config.add_key, made.row(body.name, body.role, days=body.days, now=now()))
    row = await parts.database.read(config.key, made.id)
    return KeyMade(**_shown(row), key=made.text)


@ROUTER.delete("/{key_id}", dependencies=[ADMIN], summary="Revoke a key", status_code=204, responses=refusals(NotFound))
async def revoke_key(request: Request, key_id: PathKeyId) -> None:
    """End a key at once. It stays in the list."""
    if not await gateway(request).database.write(config.revoke_key, key_id, now()):
        raise NotFound("there is no such living key")


def _shown(row: config.Found | None) -> dict[str, str | None]:
    assert row is not None  # noqa: S101 keys are never deleted
    return {
        "id": row.id, "name": row.name, "role": row.role, "created_at": moment(row.created_at),
        "expires_at": moment(row.expires_at), "revoked_at": moment_or_none(row.revoked_at),
    }  # fmt: skip
