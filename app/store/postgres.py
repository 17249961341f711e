"""Opening PostgreSQL, and running the same store functions on it, each in one transaction over asyncpg.

A store function is plain; SQLAlchemy carries its statements over the event loop. Every transaction ends within
``DEADLINE_SECONDS``, also when the network to the database goes silent: intake then turns to its spool.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.store.engine import Database

P = ParamSpec("P")
R = TypeVar("R")

DEADLINE_SECONDS = 10.0
CONNECT_SECONDS = 2.0
POOL_SIZE = 8
CLOCK_SECONDS = 60.0  # how long the database's time is reckoned on from by our own steady clock
SERVER_SETTINGS = {
    "application_name": "klaviyo-gateway",
    "statement_timeout": "8000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "30000",
}


class PostgreSQL(Database):
    """A PostgreSQL database (15 or newer), which several processes may share."""

    shared = True

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=DEADLINE_SECONDS)
        self._database_time, self._asked_at = time.time(), time.monotonic() - CLOCK_SECONDS

    async def write(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Raises ``TimeoutError`` after the deadline."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._engine.begin() as connection:
            return await connection.run_sync(lambda here: fn(here, *args, **kwargs))

    async def read(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        async with asyncio.timeout(DEADLINE_SECONDS), self._engine.connect() as connection:
            view = await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with view.begin():
                return await view.run_sync(lambda here: fn(here, *args, **kwargs))

    def write_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        return _apart(self._once(lambda here: fn(here, *args, **kwargs)))

    def read_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        return self.write_now(fn, *args, **kwargs)

    def clock(self) -> float:
        """By the database's clock, reckoned on from our own steady one: a step of the node's time changes nothing."""
        return self._database_time + time.monotonic() - self._asked_at

    async def sync(self) -> None:
        if time.monotonic() - self._asked_at < CLOCK_SECONDS:
            return
        async with asyncio.timeout(DEADLINE_SECONDS), self._engine.connect() as connection:
            found = await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())::float8"))
        self._database_time, self._asked_at = float(found or 0), time.monotonic()

    async def close(self) -> None:
        await self._engine.dispose()

    def close_now(self) -> None:
        _apart(self.close())

    async def _once(self, fn: Callable[[Connection], R]) -> R:
        engine = _engine(self.url, poolclass=NullPool)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), engine.begin() as connection:
                return await connection.run_sync(fn)
        finally:
            await engine.dispose()


def _engine(url: str, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        hide_parameters=True,
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": SERVER_SETTINGS},
        **options,
    )


def _apart(work: Coroutine[Any, Any, R]) -> R:
    """Run to its end on an event loop of its own, whatever loop the caller may be in."""
    results: list[R] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:  # the caller gets it
            faults.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return results[0]
