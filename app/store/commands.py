"""What Klaviyo is to be asked: storing it once, and reading it back for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Row, Select, and_, func, insert, literal, select
from sqlalchemy.dialects.sqlite import insert as upsert

from app.klaviyo.commands import Stored
from app.store.ids import new_id
from app.store.tables import attempts, batches, commands, lanes, outcomes, pending

IDS_PER_STATEMENT = 500


class Ordered(NamedTuple):
    """A command to store for an account; ``key`` is unique per account and kind."""

    account_id: str
    connection_id: str
    webhook_id: int
    key: bytes
    stored: Stored
    backfill: bool


def store(connection: Connection, rows: Sequence[Ordered], now: int) -> int:
    """Insert the commands that are not there yet, make those due, and open their lanes. Says how many are new."""
    if not rows:
        return 0
    values = [
        {
            "account_id": row.account_id, "id": new_id(), "kind": row.stored.kind.value, "key": row.key,
            "connection_id": row.connection_id, "webhook_id": row.webhook_id, "name": row.stored.name,
            "profile": row.stored.profile, "payload": row.stored.payload, "created_at": now,
        }
        for row in rows
    ]  # fmt: skip
    c = commands.c
    connection.execute(upsert(commands).on_conflict_do_nothing(index_elements=[c.account_id, c.kind, c.key]), values)
    late = {value["id"] for value, row in zip(values, rows, strict=True) if row.backfill}
    new = 0
    for start in range(0, len(values), IDS_PER_STATEMENT):
        part = values[start : start + IDS_PER_STATEMENT]
        owners, ids = {value["account_id"] for value in part}, [value["id"] for value in part]
        there = select(c.account_id, c.kind, c.id).where(c.account_id.in_(owners), c.id.in_(ids))
        due = [
            {
                "account_id": row.account_id,
                "kind": row.kind,
                "command_id": row.id,
                "backfill": row.id in late,
                "run_at": now,
            }
            for row in connection.execute(there)
        ]
        if due:
            connection.execute(insert(pending), due)
        new += len(due)
    _open_lanes(connection, {(row.account_id, row.stored.kind.value) for row in rows})
    return new


def _open_lanes(connection: Connection, names: set[tuple[str, str]]) -> None:
    rows = [
        {"account_id": account, "kind": kind, "not_before": 0, "epoch": 0, "lease_until": 0, "pacing": "{}"}
        for account, kind in sorted(names)
    ]
    connection.execute(upsert(lanes).on_conflict_do_nothing(), rows)


def _overview() -> Select[tuple[object, ...]]:
    c, o, p = commands.c, outcomes.c, pending.c
    state = func.coalesce(o.state, func.iif(p.command_id.is_not(None), "pending", literal("lost")))
    return (
        select(
            c.account_id, c.id, c.kind, c.name, c.connection_id, c.webhook_id, c.created_at, c.profile, c.payload,
            state.label("state"), o.detail, o.at.label("settled_at"), o.batch_id, p.run_at, p.backfill,
        )
        .outerjoin(outcomes, and_(o.account_id == c.account_id, o.command_id == c.id))
        .outerjoin(pending, and_(p.account_id == c.account_id, p.kind == c.kind, p.command_id == c.id))
    )  # fmt: skip


def page(
    connection: Connection,
    *,
    account_id: str | None,
    state: str | None,
    name: str | None,
    before: int | None,
    limit: int,
) -> Sequence[Row[tuple[object, ...]]]:
    """Commands, newest first, older than the id ``before``."""
    query = _overview()
    if account_id is not None:
        query = query.where(commands.c.account_id == account_id)
    if name is not None:
        query = query.where(commands.c.name == name)
    if state == "pending":
        query = query.where(outcomes.c.state.is_(None))
    elif state is not None:
        query = query.where(outcomes.c.state == state)
    if before is not None:
        query = query.where(commands.c.id < before)
    return connection.execute(query.order_by(commands.c.id.desc()).limit(limit)).all()


def find(connection: Connection, command_id: int) -> Row[tuple[object, ...]] | None:
    """One command."""
    return connection.execute(_overview().where(commands.c.id == command_id)).first()


def of_webhook(connection: Connection, connection_id: str, webhook_id: int) -> Sequence[Row[tuple[object, ...]]]:
    """The commands a webhook made first (a later webhook that says the same makes none)."""
    c = commands.c
    query = _overview().where(c.connection_id == connection_id, c.webhook_id == webhook_id).order_by(c.id)
    return connection.execute(query).all()


def attempts_of(connection: Connection, account_id: str, batch_ids: Sequence[int]) -> Sequence[Row[tuple[object, ...]]]:
    """The HTTP calls made for these batches, oldest first."""
    a = attempts.c
    query = select(attempts).where(a.account_id == account_id, a.batch_id.in_(batch_ids)).order_by(a.id)
    return connection.execute(query).all()


def open_batches_with(connection: Connection, account_id: str, kind: str, command_id: int) -> list[int]:
    """The unsettled batches a command travels in (open batches of a lane are few)."""
    b = batches.c
    query = select(b.id, b.command_ids).where(b.account_id == account_id, b.kind == kind)
    needle = command_id.to_bytes(8, "big")
    return [row.id for row in connection.execute(query) if needle in _ids(row.command_ids)]


def _ids(packed: bytes) -> set[bytes]:
    return {packed[start : start + 8] for start in range(0, len(packed), 8)}


def conservation(connection: Connection) -> dict[str, int]:
    """Every stored command is pending or has an outcome, and never both: ``lost`` and ``both`` are 0."""
    c, o, p = commands.c, outcomes.c, pending.c
    joined = (
        select(func.count())
        .select_from(commands)
        .outerjoin(outcomes, and_(o.account_id == c.account_id, o.command_id == c.id))
        .outerjoin(pending, and_(p.account_id == c.account_id, p.kind == c.kind, p.command_id == c.id))
    )
    return {
        "commands": connection.scalar(select(func.count()).select_from(commands)) or 0,
        "lost": connection.scalar(joined.where(o.command_id.is_(None), p.command_id.is_(None))) or 0,
        "both": connection.scalar(joined.where(o.command_id.is_not(None), p.command_id.is_not(None))) or 0,
    }
