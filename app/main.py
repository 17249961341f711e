"""Everything that is wired together, as a list."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import http
from app.connections import Connections, refuse_wrong_key
from app.deliver import Delivery
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
from app.store.engine import Database, sqlite_warning
from app.telemetry import log
from app.translate import Translator


@dataclass(frozen=True)
class Gateway:
    """The running parts; routers find them in ``app.state.gateway``."""

    settings: Settings
    database: Database
    box: SecretBox
    connections: Connections
    refusals: Refusals
    klaviyo: Klaviyo
    apis: Mapping[str, Api]
    translator: Translator
    delivery: Delivery


def create_app(settings: Settings, *, work: bool = True, lost_key: bool = False) -> ASGIApp:
    """The gateway as one ASGI application; ``work`` also translates and delivers in this process.

    With ``lost_key`` it starts although no stored secret opens, so that they can be set again.
    """
    database = opened(settings.url, exclusive=True)
    client = http.create_client()
    box = SecretBox(settings.master_keys)
    if not lost_key:
        refuse_wrong_key(database, box)
    connections = Connections(database, box)
    refusals = Refusals()
    klaviyo = Klaviyo(client, settings.klaviyo_url)
    delivery = Delivery(database, connections, klaviyo)
    apis = {source.name: source.connect(client) for source in PLATFORMS if source.connect is not None}
    translator = Translator(database, connections, apis, made=delivery.wake.set)
    gateway = Gateway(settings, database, box, connections, refusals, klaviyo, apis, translator, delivery)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        await database.write(webhooks.release_claims)
        await database.write(lanes.clear_leases)
        await connections.refresh()
        if warning := sqlite_warning():
            log.warning("sqlite", detail=warning)
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        workers = [asyncio.create_task(part.run(stopping)) for part in (translator, delivery) if work]
        yield
        stopping.set()
        translator.wake.set()
        delivery.wake.set()
        await asyncio.gather(*workers)
        await client.aclose()
        database.close()

    api = FastAPI(lifespan=lifespan, **describe(settings))
    api.state.gateway = gateway
    for router in ROUTERS:
        api.include_router(router)
    return FrontDoor(api, PLATFORMS, connections.by_id, GroupCommit(database, translator.wake.set), refusals)
