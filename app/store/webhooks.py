"""What arrived: storing it, taking what is not translated yet, writing down what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Row, Select, and_, bindparam, case, delete, func, select, update

from app.store.bodies import pack, unpack
from app.store.ids import new_id
from app.store.leaps import owners
from app.store.tables import answers, translations, untranslated, webhooks
from app.store.upsert import upsert

ROWS_PER_STATEMENT = 200


class Arrived(NamedTuple):
    """A webhook to store; ``key`` (16 bytes) is unique in its connection. Without an ``id`` (0) it is given one."""

    connection_id: str
    key: bytes
    door: str
    origin: str
    received_at: int
    body: bytes
    id: int = 0


class Kept(NamedTuple):
    """Under which id a webhook is stored, and whether it is new or was there before."""

    id: int
    new: bool


class Due(NamedTuple):
    """A webhook to translate, with the answers fetched for it so far."""

    connection_id: str
    id: int
    door: str
    origin: str
    received_at: int
    attempts: int
    body: bytes
    answers: dict[str, bytes]


class Translated(NamedTuple):
    """What became of a webhook; ``events`` is JSON, one entry an event."""

    connection_id: str
    webhook_id: int
    state: str
    events: str
    commands: int
    at: int


_ARRIVED = (
    "INSERT INTO webhooks (connection_id, id, key, door, origin, received_at, codec, body) VALUES ",
    "(?,?,?,?,?,?,?,?)",
    " ON CONFLICT (connection_id, key) DO NOTHING",
)
_DUE = (
    "INSERT INTO untranslated (connection_id, webhook_id, run_at, claimed_until, attempts, problem) VALUES ",
    "(?,?,?,?,?,?)",
    "",
)
_UNNEST = (
    "INSERT INTO webhooks (connection_id, id, key, door, origin, received_at, codec, body) SELECT * FROM unnest("
    "$1::varchar[], $2::bigint[], $3::bytea[], $4::varchar[], $5::varchar[], $6::bigint[], $7::smallint[], $8::bytea[])"
    " ON CONFLICT (connection_id, key) DO NOTHING RETURNING id"
)
_UNNEST_DUE = (
    "INSERT INTO untranslated (connection_id, webhook_id, run_at, claimed_until, attempts, problem) "
    "SELECT c, w, r, 0, 0, '' FROM unnest($1::varchar[], $2::bigint[], $3::bigint[]) AS due (c, w, r)"
)


@cache
def _statement(parts: tuple[str, str, str], rows: int) -> str:
    head, row, tail = parts
    return head + ",".join([row] * rows) + tail


def store(connection: Connection, rows: Sequence[Arrived]) -> list[Kept]:
    """Insert ``rows``, a few hundred with one statement. What is not new is durably there already.

    Written as text for its speed: this is the statement every webhook waits for. The conflict target is named, so
    that a clash of ids is an error and never a silent loss.
    """
    insert_all = _on_sqlite if connection.dialect.name == "sqlite" else _on_postgresql
    kept: list[Kept] = []
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        part = rows[start : start + ROWS_PER_STATEMENT]
        ids = [row.id or new_id() for row in part]
        new = insert_all(connection, ids, part)
        found = [Kept(id_, True) for id_ in ids] if len(new) == len(part) else _there(connection, new, part)
        _make_due(connection, found, part)
        kept += found
    return kept


def _on_sqlite(connection: Connection, ids: Sequence[int], rows: Sequence[Arrived]) -> set[int]:
    """The ids of those that are new. Asked for only where one is not: RETURNING costs a third more."""
    values: list[object] = []
    for id_, row in zip(ids, rows, strict=True):
        codec, body = pack(row.body)
        values += (row.connection_id, id_, row.key, row.door, row.origin, row.received_at, codec, body)
    inserted = connection.exec_driver_sql(_statement(_ARRIVED, len(rows)), tuple(values)).rowcount
    if inserted == len(rows):
        return set(ids)
    w, owners = webhooks.c, {row.connection_id for row in rows}
    return set(connection.scalars(select(w.id).where(w.connection_id.in_(owners), w.id.in_(ids))))


def _on_postgresql(connection: Connection, ids: Sequence[int], rows: Sequence[Arrived]) -> set[int]:
    """The ids of those that are new; what comes out of a spool may be there under its very id.

    In the order of keys: two nodes that insert the same ones in different orders would lock each other out.
    """
    ordered = sorted(zip(ids, rows, strict=True), key=lambda pair: (pair[1].connection_id, pair[1].key))
    packed = [pack(row.body) for _, row in ordered]
    columns = (
        [row.connection_id for _, row in ordered], [id_ for id_, _ in ordered], [row.key for _, row in ordered],
        [row.door for _, row in ordered], [row.origin for _, row in ordered],
        [row.received_at for _, row in ordered], [codec for codec, _ in packed], [body for _, body in packed],
    )  # fmt: skip
    return set(connection.exec_driver_sql(_UNNEST, columns).scalars())


def _make_due(connection: Connection, kept: Sequence[Kept], rows: Sequence[Arrived]) -> None:
    due = [(row.connection_id, id_, row.received_at) for (id_, new), row in zip(kept, rows, strict=True) if new]
    if not due:
        return
    if connection.dialect.name == "sqlite":
        values = tuple(value for row in due for value in (*row, 0, 0, ""))
        connection.exec_driver_sql(_statement(_DUE, len(due)), values)
    else:
        connection.exec_driver_sql(_UNNEST_DUE, tuple(list(column) for column in zip(*due, strict=True)))


def _there(connection: Connection, new: set[int], rows: Sequence[Arrived]) -> list[Kept]:
    w, owners, keys = webhooks.c, {row.connection_id for row in rows}, {row.key for row in rows}
    query = select(w.connection_id, w.key, w.id).where(w.connection_id.in_(owners), w.key.in_(keys))
    there = {(row.connection_id, row.key): row.id for row in connection.execute(query)}
    kept = []
    for row in rows:
        id_ = there[row.connection_id, row.key]
        kept.append(Kept(id_, id_ in new))
        new.discard(id_)  # a repeat inside the group is not new a second time
    return kept


def claim(connection: Connection, now: int, until: int, limit: int) -> list[Due]:
    """Take up to ``limit`` due webhooks, oldest first; nobody else gets them before ``until``."""
    u, w = untranslated.c, webhooks.c
    due = (
        select(u.connection_id, u.webhook_id, u.attempts)
        .where(u.run_at <= now, u.claimed_until <= now)
        .order_by(u.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = connection.execute(due).all()
    if not taken:
        return []
    connection.execute(
        update(untranslated)
        .where(u.connection_id == bindparam("c"), u.webhook_id == bindparam("w"))
        .values(claimed_until=until),
        [{"c": row.connection_id, "w": row.webhook_id} for row in taken],
    )
    ids = [row.webhook_id for row in taken]
    owners = {row.connection_id for row in taken}
    rows = connection.execute(select(webhooks).where(w.connection_id.in_(owners), w.id.in_(ids)))
    by_id = {row.id: row for row in rows}
    fetched = _answers(connection, owners, ids)
    return [
        Due(row.connection_id, row.id, row.door, row.origin, row.received_at, attempts,
            unpack(row.codec, row.body), fetched.get(row.id, {}))
        for row, attempts in ((by_id[t.webhook_id], t.attempts) for t in taken)
    ]  # fmt: skip


def _answers(connection: Connection, owners: Iterable[str], ids: Sequence[int]) -> dict[int, dict[str, bytes]]:
    found: dict[int, dict[str, bytes]] = {}
    query = select(answers).where(answers.c.connection_id.in_(list(owners)), answers.c.webhook_id.in_(ids))
    for row in connection.execute(query):
        found.setdefault(row.webhook_id, {})[row.need] = unpack(row.codec, row.body)
    return found


def keep_answer(connection: Connection, due: Due, need: str, body: bytes, at: int) -> None:
    """Store what the platform answered beside the webhook; a later answer to the same need is not kept."""
    codec, packed = pack(body)
    row = {
        "connection_id": due.connection_id, "webhook_id": due.id, "need": need,
        "at": at, "codec": codec, "body": packed,
    }  # fmt: skip
    connection.execute(upsert(connection, answers).on_conflict_do_nothing(), row)


def postpone(connection: Connection, due: Due, run_at: int, problem: str) -> None:
    """Try this webhook again at ``run_at``."""
    u = untranslated.c
    connection.execute(
        update(untranslated)
        .where(u.connection_id == due.connection_id, u.webhook_id == due.id)
        .values(run_at=run_at, claimed_until=0, attempts=due.attempts + 1, problem=problem)
    )


def settle(connection: Connection, done: Sequence[Translated]) -> None:
    """Write down what became of these webhooks; they are no longer due."""
    if not done:
        return
    rows = [row._asdict() for row in done]
    statement = upsert(connection, translations)
    columns = {name: statement.excluded[name] for name in ("state", "events", "commands", "at")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["connection_id", "webhook_id"], set_=columns), rows
    )
    u = untranslated.c
    connection.execute(
        delete(untranslated).where(u.connection_id == bindparam("c"), u.webhook_id == bindparam("w")),
        [{"c": row.connection_id, "w": row.webhook_id} for row in done],
    )


def release_claims(connection: Connection) -> int:
    """At the start of the only process: whatever a dead one had claimed is due now."""
    return connection.execute(
        update(untranslated).where(untranslated.c.claimed_until > 0).values(claimed_until=0)
    ).rowcount


def present(connection: Connection, connection_id: str, webhook_ids: Sequence[int]) -> list[int]:
    """Those of these webhooks that there are."""
    w = webhooks.c
    return list(connection.scalars(select(w.id).where(w.connection_id == connection_id, w.id.in_(webhook_ids))))


def again(connection: Connection, connection_id: str, webhook_ids: Sequence[int], now: int) -> int:
    """Translate these webhooks again with today's code; what was sent before is not sent twice. Says how many."""
    ids = present(connection, connection_id, webhook_ids)
    if ids:
        u = untranslated.c
        statement = upsert(connection, untranslated).on_conflict_do_update(
            index_elements=[u.connection_id, u.webhook_id], set_={"run_at": now, "claimed_until": 0}
        )
        rows = [
            {"connection_id": connection_id, "webhook_id": id_, "run_at": now, "claimed_until": 0,
             "attempts": 0, "problem": ""}
            for id_ in ids
        ]  # fmt: skip
        connection.execute(statement, rows)
    return len(ids)


def _overview() -> Select[tuple[object, ...]]:
    w, t, u = webhooks.c, translations.c, untranslated.c
    return (
        select(
            w.connection_id, w.id, w.door, w.origin, w.received_at, func.length(w.body).label("bytes"),
            case((u.webhook_id.is_not(None), "waiting"), else_=func.coalesce(t.state, "lost")).label("state"),
            t.events, t.commands, t.at.label("translated_at"),
            u.run_at, u.attempts, u.problem,
        )
        .outerjoin(translations, and_(t.connection_id == w.connection_id, t.webhook_id == w.id))
        .outerjoin(untranslated, and_(u.connection_id == w.connection_id, u.webhook_id == w.id))
    )  # fmt: skip


def page(
    connection: Connection, *, connection_id: str | None, state: str | None, before: int | None, limit: int
) -> Sequence[Row[tuple[object, ...]]]:
    """Webhooks, newest first, older than the id ``before``."""
    w, t, u = webhooks.c, translations.c, untranslated.c
    query = _overview()
    if state is None:
        return _newest(connection, query if before is None else query.where(w.id < before), connection_id, limit)
    # Asked of the table that knows the state, so that a rare state is found without walking all webhooks.
    if state == "waiting":
        owner, id_ = u.connection_id, u.webhook_id
        query = query.where(id_.is_not(None))
    else:
        owner, id_ = t.connection_id, t.webhook_id
        query = query.where(u.webhook_id.is_(None), t.state == state)
    if before is not None:
        query = query.where(id_ < before)
    if connection_id is not None:
        query = query.where(owner == connection_id)
    return connection.execute(query.order_by(id_.desc()).limit(limit)).all()


def _newest(
    connection: Connection, query: Select[tuple[object, ...]], connection_id: str | None, limit: int
) -> Sequence[Row[tuple[object, ...]]]:
    w = webhooks.c
    rows: list[Row[tuple[object, ...]]] = []
    for owner in owners(connection, w.connection_id) if connection_id is None else [connection_id]:
        mine = query.where(w.connection_id == owner).order_by(w.id.desc()).limit(limit)
        rows += connection.execute(mine).all()
    return sorted(rows, key=lambda row: row.id, reverse=True)[:limit]


def find(connection: Connection, webhook_id: int) -> tuple[Row[tuple[object, ...]], bytes, dict[str, bytes]] | None:
    """One webhook with its body and fetched answers."""
    w = webhooks.c
    this = and_(w.connection_id.in_(owners(connection, w.connection_id)), w.id == webhook_id)
    row = connection.execute(_overview().where(this)).first()
    if row is None:
        return None
    stored = connection.execute(select(w.codec, w.body).where(this)).one()
    fetched = _answers(connection, [str(row.connection_id)], [webhook_id]).get(webhook_id, {})
    return row, unpack(stored.codec, stored.body), fetched


def counts(connection: Connection) -> dict[str, int]:
    """How many webhooks were received, and how many of them are in each state; one replayed counts as waiting."""
    t, u = translations.c, untranslated.c
    both = and_(t.connection_id == u.connection_id, t.webhook_id == u.webhook_id)
    by_state = select(t.state, func.count()).group_by(t.state)
    done: dict[str, int] = dict(connection.execute(by_state).all())
    again_due = connection.execute(by_state.where(both))
    for state, count in again_due:
        done[state] -= count
    return {
        **done,
        "received": connection.scalar(select(func.count()).select_from(webhooks)) or 0,
        "waiting": connection.scalar(select(func.count()).select_from(untranslated)) or 0,
    }
