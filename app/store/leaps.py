"""Finding which owners a large table holds: one look into its key for each owner, never a scan."""

from __future__ import annotations

from sqlalchemy import Column, Connection, func, select


def owners(connection: Connection, column: Column[str]) -> list[str]:
    """The different values of ``column``, the first of its table's primary key, in order.

    The log tables are keyed (owner, id). With the owners known, a question by id alone, or for the newest rows of all
    owners, becomes a few short walks of that key; asked directly, SQLite would read the whole table.
    """
    found: list[str] = []
    last = ""
    while (following := connection.scalar(select(func.min(column)).where(column > last))) is not None:
        found.append(last := following)
    return found
