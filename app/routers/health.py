"""Health: whether the process lives, and whether it can take webhooks. Open to all, and says nothing else."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from app.errors import Busy
from app.routers.auth import gateway
from app.routers.gate import refusals
from app.routers.shapes import Answer
from app.store import config

ROUTER = APIRouter(prefix="/health", tags=["Health"])

PATIENCE_SECONDS = 1.0


class Live(Answer):
    """The process answers."""

    status: Literal["live"] = Field("live", description="Always this.")


class Ready(Answer):
    """The process answers, and so does its store."""

    status: Literal["ready"] = Field("ready", description="Always this.")


@ROUTER.get("/live", summary="Does the process live?")
async def live() -> Live:
    """Restart the process when this does not answer."""
    return Live()


@ROUTER.get("/ready", summary="Can it take webhooks?", responses=refusals(Busy))
async def ready(request: Request) -> Ready:
    """Send no webhooks here while this is not 200."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gateway(request).database.read(config.version)
    except Exception as error:  # whatever keeps the store from answering
        drain = gateway(request).drain
        if drain is None:
            raise Busy("the store does not answer") from error
        await drain.spool.waiting()  # the spool takes webhooks meanwhile
    return Ready()
