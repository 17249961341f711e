"""The sandbox wired together: a FastAPI application with Klaviyo under `/api` and its own routes under `/sandbox`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from fastapi import FastAPI

from app.klaviyo.sandbox.accounts import Account, Key
from app.klaviyo.sandbox.control import add_routes
from app.klaviyo.sandbox.door import Door
from app.klaviyo.sandbox.limits import Windows
from app.klaviyo.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_KEY, World


def create_sandbox(
    *,
    accounts: Iterable[Account] = (),
    keys: Iterable[Key] = (),
    clock: Callable[[], float] = time.time,
    scale: float = 1.0,
    aligned: bool = False,
) -> FastAPI:
    """Build a sandbox Klaviyo with an empty memory.

    The account SANDBX and its key `pk_sandbox` (every scope) are always there; `accounts` and `keys` add others or,
    with the same id, replace these. `clock` returns seconds since 1970; `scale` and `aligned` are those of
    `limits.Windows`.
    Faults that cut connections need the server of `server.py`.
    """
    world = World(clock, Windows(scale, aligned))
    world.settle([Account(DEFAULT_ACCOUNT), *accounts])
    for key in (Key(DEFAULT_KEY, DEFAULT_ACCOUNT), *keys):
        world.issue(key)
    # Without the pages of docs: they would load from another host.
    app = FastAPI(
        title="Klaviyo sandbox",
        summary="Answers as Klaviyo does, and tells what it was sent.",
        docs_url=None,
        redoc_url=None,
    )
    # First, because FastAPI looks at its routes in their order and a call should not pay for all of them.
    app.mount("/api", Door(world))
    add_routes(app, world)
    return app
