"""The client and a stand-in Centra on a real socket, with a clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date

import orjson
import uvicorn
from starlette.types import ASGIApp

from app import http
from app.mappers.centra.api import CentraApi
from app.mappers.centra.sandbox.server import DEMO_TOKEN, StandIn
from app.mappers.source import Need

NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z
SECRETS = {"api_token": DEMO_TOKEN}


@dataclass
class Clock:
    now: float = NOON
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Shop:
    base_url: str | None
    product_image_size: str = "full"
    api_token_expires: date | None = None


@dataclass
class Stage:
    api: CentraApi
    clock: Clock
    stand_in: StandIn
    shop: Shop

    async def fetch(self, what: str, number: int | str, **secrets: str) -> dict[str, object]:
        raw = await self.api.fetch(Need(what, str(number)), self.shop, secrets or SECRETS)
        found: dict[str, object] = orjson.loads(raw)
        return found

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.stand_in.asked]


class QuickServer(uvicorn.Server):
    """Stops at once: uvicorn looks ten times a second whether it should, and then gives stragglers as long again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    async def main_loop(self) -> None:
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()


@contextlib.asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[str]:
    """Serves ``app`` on a free port; gives its URL."""
    server = QuickServer(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
        if task.done():
            task.result()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.stop.set()
        await task


@contextlib.asynccontextmanager
async def staged(stand_in: StandIn, clock: Clock) -> AsyncIterator[Stage]:
    async with running(stand_in) as url, http.create_client() as client:
        api = CentraApi(client, clock=clock, monotonic=clock, sleep=clock.sleep, deadline=10)
        yield Stage(api, clock, stand_in, Shop(url))
