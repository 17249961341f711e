"""An SQLite file: one thread owns the only writing connection, readers cannot write.

SQLite has one writer anyway; one thread makes its queue ours and its fsync shared. One hop per transaction, not one
per statement.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from app.errors import GatewayError
from app.store.engine import Database

P = ParamSpec("P")
R = TypeVar("R")

READERS = 2
BUSY_MILLISECONDS = 10_000
PAGE_BYTES = 8192  # a new file: three orders fit a page where 4096 holds one (measured: a third less written)
FIXED_WAL_RESET = (3, 51, 3)


class FileInUse(GatewayError):
    """Another gateway process serves this database file; ``address`` is its URL, as far as it has told it."""

    code = "file_in_use"

    def __init__(self, path: Path, address: str) -> None:
        where = f" on {address}" if address else ""
        super().__init__(f"another gateway serves {path}{where}: stop it first, or use another GATEWAY_DATA_DIR")
        self.address = address


class SQLite(Database):
    """One SQLite file. ``exclusive`` is for the process that serves it: a second one is refused."""

    def __init__(self, url: str, *, exclusive: bool = False) -> None:
        path = _path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = _lock(path) if exclusive else None
        if not path.exists():
            path.touch(mode=0o600)  # SQLite gives its -wal and -shm the same mode
        self._engine = _engine(url, checkpoints=exclusive)
        self._readers = _engine(url, read_only=True)
        self._writer: Connection | None = None
        self._write_thread = ThreadPoolExecutor(1, "store-write")
        self._read_threads = ThreadPoolExecutor(READERS, "store-read")
        self._local = threading.local()

    async def write(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._write_thread, lambda: self.write_now(fn, *args, **kwargs))

    def write_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``write``, on the calling thread, which must be the only one that does so meanwhile."""
        if self._writer is None:
            self._writer = self._engine.connect()
        with self._writer.begin():
            return fn(self._writer, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._read_threads, lambda: self.read_now(fn, *args, **kwargs))

    def read_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._readers.connect()
        with connection.begin():
            return fn(connection, *args, **kwargs)

    def clock(self) -> float:
        return time.time()

    async def sync(self) -> None:
        """There is one clock."""

    async def close(self) -> None:
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Let what was queued finish, then close readers before the writer, which checkpoints."""
        self._read_threads.shutdown()
        self._write_thread.shutdown()
        self._readers.dispose()
        if self._writer is not None:
            self._writer.close()
        self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def tell_address(url: str, address: str) -> None:
    """For whoever finds the file at ``url`` in use by this process: where it serves it."""
    if url.startswith("sqlite:///"):
        _lock_file(_path(url)).write_text(address)


def sqlite_warning() -> str | None:
    """What an operator should know about this machine's SQLite, if anything."""
    if sqlite3.sqlite_version_info >= FIXED_WAL_RESET:
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug that 3.51.3 mended; "
        "the gateway avoids it by writing and checkpointing on one connection only"
    )


def _engine(url: str, *, read_only: bool = False, checkpoints: bool = False) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, poolclass=NullPool, connect_args={"check_same_thread": False, "timeout": 10}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come late and be deferred
        connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={2000 if checkpoints else 0}")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA secure_delete=ON")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _lock(path: Path) -> int:
    file = _lock_file(path)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise FileInUse(path, file.read_text()) from None
    os.ftruncate(handle, 0)  # the address of whoever served it before
    return handle
