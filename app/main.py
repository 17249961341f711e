"""Everything that is wired together, as a list."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import http
from app.connections import Connections, refuse_wrong_key
from app.deliver import Delivery
from app.drain import Drain
from app.intake import FrontDoor, GroupCommit
from app.klaviyo.client import Klaviyo
from app.mappers.registry import PLATFORMS
from app.mappers.source import Api
from app.migrate import opened
from app.refusals import Refusals
from app.routers import ROUTERS, describe
from app.security import SecretBox
from app.settings import Settings
from app.store import lanes, webhooks
from app.store.engine import Database
from app.store.spool import Spool
from app.store.sqlite import sqlite_warning
from app.telemetry import log
from app.translate import Translator


@dataclass(frozen=True)
class Gateway:
    """The running parts; routers find them in ``app.state.gateway``."""

    settings: Settings
    database: Database
    client: http.Client
    box: SecretBox
    connections: Connections
    refusals: Refusals
    klaviyo: Klaviyo
    apis: Mapping[str, Api]
    translator: Translator
    delivery: Delivery
    drain: Drain | None


def assemble(settings: Settings, *, lost_key: bool = False, doors: bool = True) -> Gateway:
    """Every part, made from the settings. With ``lost_key`` it is no fault that no stored secret opens; without
    ``doors`` no webhook comes in here.
    """
    database = opened(settings.url, exclusive=True)
    client = http.create_client()
    box = SecretBox(settings.master_keys)
    if not lost_key:
        refuse_wrong_key(database, box)
    connections = Connections(database, box)
    klaviyo = Klaviyo(client, settings.klaviyo_url)
    delivery = Delivery(database, connections, klaviyo, clock=database.clock, share=settings.klaviyo_share)
    apis = {source.name: source.connect(client) for source in PLATFORMS if source.connect is not None}
    translator = Translator(database, connections, apis, made=delivery.wake.set, clock=database.clock)
    drain = Drain(database, Spool(settings.data_dir), translator.wake.set) if database.shared and doors else None
    return Gateway(settings, database, client, box, connections, Refusals(), klaviyo, apis, translator, delivery, drain)


@asynccontextmanager
async def running(gateway: Gateway, *, work: bool) -> AsyncIterator[None]:
    """From the start to an orderly stop; with ``work`` this process also translates and delivers."""
    database, stopping = gateway.database, asyncio.Event()
    await database.sync()
    if not database.shared:  # whoever held a claim or a lane was this process's predecessor
        await database.write(webhooks.release_claims)
        await database.write(lanes.clear_leases)
    await gateway.connections.refresh()
    if not database.shared and (warning := sqlite_warning()):
        log.warning("sqlite", detail=warning)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    parts = [gateway.connections, *((gateway.translator, gateway.delivery) if work else ())]
    parts += [gateway.drain] if gateway.drain is not None else []
    tasks = [asyncio.create_task(part.run(stopping)) for part in parts]
    yield
    stopping.set()
    for part in parts:
        part.wake.set()
    await asyncio.gather(*tasks)
    await gateway.client.aclose()
    await database.close()


def create_app(settings: Settings, *, work: bool = True, lost_key: bool = False) -> ASGIApp:
    """The gateway as one ASGI application."""
    gateway = assemble(settings, lost_key=lost_key)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(gateway, work=work):
            yield

    api = FastAPI(lifespan=lifespan, **describe(settings))
    api.state.gateway = gateway
    for router in ROUTERS:
        api.include_router(router)
    commit = GroupCommit(gateway.database, gateway.translator.wake.set, gateway.drain)
    return FrontDoor(api, PLATFORMS, gateway.connections.by_id, commit, gateway.refusals, clock=gateway.database.clock)


async def work(settings: Settings) -> None:
    """Translate and deliver until asked to end, without any door: one of several processes on one PostgreSQL."""
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with running(assemble(settings, doors=False), work=True):
        await ended.wait()
