"""What a database is to the rest: store functions, each run in one transaction.

A store function is a plain function ``(connection, ...)`` of SQLAlchemy statements; it runs on an SQLite file and on
PostgreSQL alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

P = ParamSpec("P")
R = TypeVar("R")

SCHEMA_LOCK = 5_213_447  # any number of our own


class Database(ABC):
    """``shared`` says that other processes may use it at the same time."""

    shared = False

    @abstractmethod
    async def write(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn`` in one write transaction, durable when this returns."""

    @abstractmethod
    async def read(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``fn`` on one consistent view that cannot write."""

    @abstractmethod
    def write_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``write``, without an event loop (command line, start)."""

    @abstractmethod
    def read_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``read``, without an event loop."""

    @abstractmethod
    def clock(self) -> float:
        """Epoch seconds by which leases and due times go: the same on all nodes that share the database."""

    @abstractmethod
    async def sync(self) -> None:
        """Look at the database's clock again; before the first use of ``clock`` and every now and then."""

    @abstractmethod
    async def close(self) -> None:
        """Let what was queued finish, then close every connection."""

    @abstractmethod
    def close_now(self) -> None:
        """As ``close``, without an event loop."""


def open_database(url: str, *, exclusive: bool = False) -> Database:
    """``sqlite:///`` or ``postgresql://``. ``exclusive`` is for the process that serves a file: a second is refused."""
    if url.startswith("postgresql://"):
        from app.store.postgres import PostgreSQL

        return PostgreSQL(url)
    from app.store.sqlite import SQLite

    return SQLite(url, exclusive=exclusive)


def shown(url: str) -> str:
    """A database's URL for people: without its password."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url


def take_turns(connection: Connection) -> None:
    """Until this transaction ends, no other process that calls this gets further: nodes that start together migrate one
    after the other. A file has one process anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(SCHEMA_LOCK)))
