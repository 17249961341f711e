"""What Klaviyo is to be asked: storing it once, and reading it back for people."""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, case, func, insert, select

from app.klaviyo.commands import Kind, Stored
from app.store.ids import new_id
from app.store.leaps import owners
from app.store.tables import attempts, batches, commands, lanes, outcomes, pending
from app.store.upsert import upsert

IDS_PER_STATEMENT = 500
ID_BYTES = 8


class Ordered(NamedTuple):
    """A command to store for an account; ``key`` is unique per account and kind."""

    account_id: str
    connection_id: str
    webhook_id: int
    key: bytes
    stored: Stored
    backfill: bool


class Before(NamedTuple):
    """The command that had the key already; ``same`` says whether it asks for the very same."""

    command_id: int
    webhook_id: int
    same: bool


def store(connection: Connection, rows: Sequence[Ordered], now: int) -> list[Before | None]:
    """Insert the commands that are not there yet, make those due, and open their lanes.

    For each row: None when it is new, else what was there before.
    """
    if not rows:
        return []
    ids = [new_id() for _ in rows]
    values = [
        {
            "account_id": row.account_id, "id": id_, "kind": row.stored.kind.value, "key": row.key,
            "connection_id": row.connection_id, "webhook_id": row.webhook_id, "name": row.stored.name,
            "unique_id": row.stored.unique_id, "profile": row.stored.profile, "payload": row.stored.payload,
            "created_at": now,
        }
        for id_, row in zip(ids, rows, strict=True)
    ]  # fmt: skip
    c = commands.c
    statement = upsert(connection, commands).on_conflict_do_nothing(index_elements=[c.account_id, c.kind, c.key])
    connection.execute(statement, values)
    new = _there(connection, {row.account_id for row in rows}, ids)
    due = [
        {"account_id": row.account_id, "kind": row.stored.kind.value, "command_id": id_,
         "backfill": row.backfill, "run_at": now}
        for id_, row in zip(ids, rows, strict=True)
        if id_ in new
    ]  # fmt: skip
    if due:
        connection.execute(insert(pending), due)
    _open_lanes(connection, {(row.account_id, row.stored.kind.value) for row in rows})
    return [None if id_ in new else _before(connection, row) for id_, row in zip(ids, rows, strict=True)]


def _there(connection: Connection, accounts: set[str], ids: Sequence[int]) -> set[int]:
    c, found = commands.c, set[int]()
    for start in range(0, len(ids), IDS_PER_STATEMENT):
        part = ids[start : start + IDS_PER_STATEMENT]
        found |= set(connection.scalars(select(c.id).where(c.account_id.in_(accounts), c.id.in_(part))))
    return found


def _before(connection: Connection, row: Ordered) -> Before:
    c = commands.c
    mine = and_(c.account_id == row.account_id, c.kind == row.stored.kind.value, c.key == row.key)
    found = connection.execute(select(c.id, c.webhook_id, c.payload).where(mine)).one()
    return Before(found.id, found.webhook_id, found.payload == row.stored.payload)


def _open_lanes(connection: Connection, names: set[tuple[str, str]]) -> None:
    rows = [
        {"account_id": account, "kind": kind, "not_before": 0, "epoch": 0, "lease_until": 0, "pacing": "{}"}
        for account, kind in sorted(names)
    ]
    connection.execute(upsert(connection, lanes).on_conflict_do_nothing(), rows)


def _overview() -> Select[tuple[object, ...]]:
    c, o, p = commands.c, outcomes.c, pending.c
    state = func.coalesce(o.state, case((p.command_id.is_not(None), "pending"), else_="sending"))
    return (
        select(
            c.account_id, c.id, c.kind, c.name, c.unique_id, c.connection_id, c.webhook_id, c.created_at, c.profile,
            c.payload, state.label("state"), o.detail, o.at.label("settled_at"), o.batch_id, p.run_at, p.backfill,
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
    unique_id: str | None = None,
    before: int | None,
    limit: int,
) -> Sequence[Row[tuple[object, ...]]]:
    """Commands, newest first, older than the id ``before``."""
    c, o, p = commands.c, outcomes.c, pending.c
    query = _overview()
    if name is not None:
        query = query.where(c.name == name)
    if unique_id is not None:
        query = query.where(c.unique_id == unique_id)
    # Walks of keys that end with the id: asked for all accounts or kinds at once, SQLite would sort everything.
    parts = []
    for owner in owners(connection, c.account_id) if account_id is None else [account_id]:
        if state is None:
            parts.append((query.where(c.account_id == owner), c.id))
        elif state == "pending":
            parts += [(query.where(p.account_id == owner, p.kind == kind), p.command_id) for kind in Kind]
        elif state == "sending":
            under_way = [id_ for kind in Kind for id_ in _open_batches(connection, owner, kind)]
            parts += [
                (query.where(c.account_id == owner, c.id.in_(under_way[start : start + IDS_PER_STATEMENT])), c.id)
                for start in range(0, len(under_way), IDS_PER_STATEMENT)
            ]
        else:
            parts.append((query.where(o.account_id == owner, o.state == state), o.command_id))
    rows: list[Row[tuple[object, ...]]] = []
    for part, id_ in parts:
        older = part if before is None else part.where(id_ < before)
        rows += connection.execute(older.order_by(id_.desc()).limit(limit)).all()
    return sorted(rows, key=lambda row: row.id, reverse=True)[:limit]


def find(connection: Connection, command_id: int) -> Row[tuple[object, ...]] | None:
    """One command."""
    c = commands.c
    mine = c.account_id.in_(owners(connection, c.account_id))
    return connection.execute(_overview().where(mine, c.id == command_id)).first()


def of_webhook(connection: Connection, connection_id: str, webhook_id: int) -> Sequence[Row[tuple[object, ...]]]:
    """The commands a webhook made first (a later webhook that says the same makes none)."""
    c = commands.c
    query = _overview().where(c.connection_id == connection_id, c.webhook_id == webhook_id).order_by(c.id)
    return connection.execute(query).all()


def calls(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, list[Row[tuple[object, ...]]]]:
    """By id, the HTTP calls of the batch that each of these commands travels in, or ended in; oldest first."""
    travelling: dict[tuple[str, str], dict[int, int]] = {}
    batch_of: dict[int, int | None] = {}
    for row in rows:
        lane = (row.account_id, row.kind)
        if row.batch_id is None and lane not in travelling:
            travelling[lane] = _open_batches(connection, *lane)
        batch_of[row.id] = row.batch_id if row.batch_id is not None else travelling[lane].get(row.id)
    a = attempts.c
    owning = {row.account_id for row in rows}
    batch_ids = sorted({id_ for id_ in batch_of.values() if id_ is not None})
    made: dict[int, list[Row[tuple[object, ...]]]] = {}
    for start in range(0, len(batch_ids), IDS_PER_STATEMENT):
        part = batch_ids[start : start + IDS_PER_STATEMENT]
        query = select(attempts).where(a.account_id.in_(owning), a.batch_id.in_(part)).order_by(a.id)
        for attempt in connection.execute(query):
            made.setdefault(attempt.batch_id, []).append(attempt)
    return {id_: made.get(batch_id, []) if batch_id is not None else [] for id_, batch_id in batch_of.items()}


def _open_batches(connection: Connection, account_id: str, kind: str) -> dict[int, int]:
    """The unsettled batch of each command under way in a lane (open batches of a lane are few)."""
    b = batches.c
    query = select(b.id, b.command_ids).where(b.account_id == account_id, b.kind == kind)
    return {id_: row.id for row in connection.execute(query) for id_ in _ids(row.command_ids)}


def _ids(packed: bytes) -> tuple[int, ...]:
    return unpack(f">{len(packed) // ID_BYTES}q", packed)


def counts(connection: Connection) -> dict[str, int]:
    """How many commands there are, by state, and what ``conservation`` says, from sums alone: quick at any size."""
    o, p, b = outcomes.c, pending.c, batches.c
    by_state = connection.execute(select(o.state, func.count()).group_by(o.state))
    ended: dict[str, int] = dict(by_state.all())
    stored = connection.scalar(select(func.count()).select_from(commands)) or 0
    waiting = connection.scalar(select(func.count()).select_from(pending)) or 0
    packed = select(func.coalesce(func.sum(func.length(b.command_ids)), 0))
    sending = (connection.scalar(packed) or 0) // ID_BYTES
    twice = select(func.count()).where(o.account_id == p.account_id, o.command_id == p.command_id)
    both = connection.scalar(twice) or 0
    lost = stored - waiting - sending - sum(ended.values()) + both
    return {**ended, "commands": stored, "pending": waiting, "sending": sending, "both": both, "lost": lost}


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
