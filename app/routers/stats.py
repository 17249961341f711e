"""Stats: how much came in and what became of it, and whether anything was lost on the way."""

from __future__ import annotations

from fastapi import Request
from pydantic import Field

from app.routers.auth import VIEWER, gateway
from app.routers.gate import keyed_router
from app.routers.shapes import Answer
from app.store import commands, webhooks

ROUTER = keyed_router("/stats", "Stats")


class WebhookStats(Answer):
    """Webhooks by state; all but `received` add up to it."""

    received: int = Field(description="All that were stored.", examples=[1204])
    waiting: int = Field(description="Not translated yet, or to be translated again.", examples=[2])
    mapped: int = Field(0, description="Became commands.", examples=[1180])
    ignored: int = Field(0, description="Ignored on purpose.", examples=[15])
    unknown: int = Field(0, description="No mapping for the event.", examples=[4])
    quarantined: int = Field(0, description="Could not be used, kept.", examples=[3])


class CommandStats(Answer):
    """Commands by state; pending, sending, accepted, rejected and parked add up to `commands`."""

    commands: int = Field(description="All that were stored.", examples=[2371])
    pending: int = Field(description="Waiting for a batch.", examples=[0])
    sending: int = Field(description="In batches that go out, again if need be.", examples=[0])
    accepted: int = Field(0, description="Klaviyo took them.", examples=[2370])
    rejected: int = Field(0, description="Klaviyo refused them.", examples=[1])
    parked: int = Field(0, description="Given up after seven days, kept.", examples=[0])
    lost: int = Field(description="Without any state: 0, or the gateway has a fault.", examples=[0])
    both: int = Field(description="Pending and settled at once: 0, or the gateway has a fault.", examples=[0])


class Stats(Answer):
    """Everything counted."""

    webhooks: WebhookStats = Field(description="What came in.")
    commands: CommandStats = Field(description="What Klaviyo was asked.")


@ROUTER.get("", dependencies=[VIEWER], summary="Count everything")
async def stats(request: Request) -> Stats:
    """How much came in and what became of it."""
    database = gateway(request).database
    return Stats(
        webhooks=WebhookStats(**await database.read(webhooks.counts)),
        commands=CommandStats(**await database.read(commands.counts)),
    )
