"""Lanes: how much waits for each account and kind of command, what holds it up, and letting it go on."""

from __future__ import annotations

from fastapi import Request
from pydantic import Field

from app.errors import Fault, Invalid
from app.routers.auth import OPERATOR, VIEWER, gateway
from app.routers.gate import keyed_router
from app.routers.shapes import Answer, Ask, Id, Moment, Page, moment_or_none, now
from app.store import config, lanes
from app.store.config import Found

ROUTER = keyed_router("/lanes", "Lanes")


class Lane(Answer):
    """What is sent for one account in one way."""

    account: str = Field(description="The account.", examples=["main"])
    kind: str = Field(description="What Klaviyo is asked.", examples=["track"])
    pending: int = Field(description="Commands that wait for a batch.", examples=[120])
    oldest_due_at: Moment | None = Field(description="Since when the oldest of them is due.")
    sending: int = Field(description="Commands in batches that go out, again if need be.", examples=[0])
    not_before: Moment | None = Field(description="Nothing is sent before this: Klaviyo's limits, or the next probe.")
    paused: str | None = Field(
        description="Why nothing is sent until a person helps; it is tried once a minute.",
        examples=[None],
    )


class Resume(Ask):
    """The account to go on with."""

    account: Id = Field(description="The account.")


class Resumed(Answer):
    """How many lanes go on."""

    lanes: int = Field(description="How many.", examples=[1])


@ROUTER.get("", dependencies=[VIEWER], summary="List lanes")
async def list_lanes(request: Request) -> Page[Lane]:
    """Every lane, by account and kind."""
    rows = await gateway(request).database.read(lanes.overview)
    return Page(items=[_shown(row) for row in rows], next=None)


@ROUTER.post("/resume", dependencies=[OPERATOR], summary="Resume an account")
async def resume(request: Request, body: Resume) -> Resumed:
    """Go on with an account now, without waiting for the next probe."""
    parts = gateway(request)
    if await parts.database.read(config.account, body.account) is None:
        raise Invalid([Fault("/account", "there is no such account")])
    count = await parts.database.write(lanes.resume_account, body.account, now())
    parts.delivery.wake.set()
    return Resumed(lanes=count)


def _shown(row: Found) -> Lane:
    return Lane(
        account=row.account_id, kind=row.kind, pending=row.waiting, sending=row.sending, paused=row.paused,
        oldest_due_at=moment_or_none(row.oldest_due), not_before=moment_or_none(row.not_before),
    )  # fmt: skip
