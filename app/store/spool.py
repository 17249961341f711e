"""Where webhooks are kept while PostgreSQL is away: a file of this node's own, drained in the order of arrival.

A webhook has its id and key before it gets here, so draining twice, or what the database took after all, is no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from app.store.sqlite import SQLite
from app.store.webhooks import Arrived

_metadata = MetaData()
_spool = Table(
    "spool",
    _metadata,
    Column("place", Integer, primary_key=True),
    Column("connection_id", String, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("door", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("id", BigInteger, nullable=False),
)


class Spool:
    """One file, ``spool.db`` in ``folder``, which must be a local disk."""

    def __init__(self, folder: Path) -> None:
        self._file = SQLite(f"sqlite:///{folder / 'spool.db'}", exclusive=True)
        self._file.write_now(_metadata.create_all)

    async def add(self, rows: Sequence[Arrived]) -> None:
        """Durable when this returns."""
        await self._file.write(_add, rows)

    async def oldest(self, limit: int) -> tuple[int, list[Arrived]]:
        """The first webhooks, and the place of the last of them."""
        return await self._file.read(_oldest, limit)

    async def forget(self, up_to: int) -> None:
        """They are in the database now."""
        await self._file.write(_forget, up_to)

    async def waiting(self) -> int:
        """How many are here."""
        return await self._file.read(_count)

    async def close(self) -> None:
        """Nothing is lost by that: what is here is drained after the next start."""
        await self._file.close()


def _add(connection: Connection, rows: Sequence[Arrived]) -> None:
    connection.execute(insert(_spool), [row._asdict() for row in rows])


def _oldest(connection: Connection, limit: int) -> tuple[int, list[Arrived]]:
    rows = connection.execute(select(_spool).order_by(_spool.c.place).limit(limit)).all()
    return (rows[-1].place if rows else 0), [Arrived(*row[1:]) for row in rows]


def _forget(connection: Connection, up_to: int) -> None:
    connection.execute(delete(_spool).where(_spool.c.place <= up_to))


def _count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(_spool)) or 0
