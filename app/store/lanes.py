"""Lanes: who may send for an account and kind, what is due there, which batches are under way, and settling them.

Every statement that changes a lane's rows first proves that the caller's fencing token (``epoch``) is still the
lane's; whoever lost the lease writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import pack, unpack
from typing import NamedTuple, TypeAlias

from sqlalchemy import (
    Column,
    Connection,
    Label,
    Row,
    Subquery,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from app.errors import LeaseLost
from app.store.ids import new_id
from app.store.tables import attempts, batches, commands, lanes, outcomes, pending

ID_BYTES = 8


class Lane(NamedTuple):
    """A leased lane. ``pacing`` is JSON that only pacing.py reads."""

    account_id: str
    kind: str
    epoch: int
    paused: str | None
    pacing: str


class Member(NamedTuple):
    """A command of a batch, as stored."""

    id: int
    name: str
    profile: bytes
    payload: bytes
    created_at: int


class Batch(NamedTuple):
    """Commands sent together; ``form`` says how (single, bulk). The members never change."""

    id: int
    form: str
    members: tuple[Member, ...]
    attempts: int


Plan: TypeAlias = Callable[[Sequence[Member]], Sequence[tuple[str, Sequence[Member]]]]


class Attempt(NamedTuple):
    """One HTTP call and what it meant."""

    batch_id: int
    path: str
    items: int
    status: int | None
    outcome: str
    detail: str
    milliseconds: int
    at: int


class Verdict(NamedTuple):
    """The end of a command: accepted, rejected or parked."""

    command_id: int
    batch_id: int
    state: str
    detail: str


class Settlement(NamedTuple):
    """Everything one step changed, written in one fenced transaction.

    ``closed`` batches are gone (their members are in ``verdicts`` or in ``split``), ``retries`` stay as they are until
    the given time; ``split`` are new batches out of closed ones; ``repaired`` commands have a new profile.
    """

    attempts: Sequence[Attempt]
    verdicts: Sequence[Verdict]
    closed: Sequence[int]
    retries: Sequence[tuple[int, int]]
    split: Sequence[tuple[str, Sequence[int]]]
    repaired: Sequence[tuple[int, bytes]]
    not_before: int | None
    pacing: str


def lease(connection: Connection, owner: str, now: int, until: int) -> Lane | None:
    """Take the lane that has waited longest among those with something due and nobody on it."""
    n, p, b = lanes.c, pending.c, batches.c
    due = or_(
        exists().where(p.account_id == n.account_id, p.kind == n.kind, p.backfill.in_((False, True)), p.run_at <= now),
        exists().where(b.account_id == n.account_id, b.kind == n.kind, b.run_at <= now),
    )
    free = and_(n.not_before <= now, n.lease_until <= now)
    row = connection.execute(
        select(lanes).where(free, due).order_by(n.lease_until).limit(1).with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    epoch = row.epoch + 1
    connection.execute(
        update(lanes)
        .where(n.account_id == row.account_id, n.kind == row.kind)
        .values(owner=owner, epoch=epoch, lease_until=until)
    )
    return Lane(row.account_id, row.kind, epoch, row.paused, row.pacing)


def release(connection: Connection, lane: Lane, now: int) -> None:
    """Give the lane back; ``lease_until`` remembers when, for fairness."""
    n = lanes.c
    mine = and_(n.account_id == lane.account_id, n.kind == lane.kind, n.epoch == lane.epoch)
    connection.execute(update(lanes).where(mine).values(owner=None, lease_until=now))


def clear_leases(connection: Connection) -> None:
    """At the start of the only process: nobody holds a lane."""
    connection.execute(update(lanes).values(owner=None, lease_until=0))


def prepare(connection: Connection, lane: Lane, now: int, limit: int, plan: Plan) -> list[Batch]:
    """What to send now: batches whose time has come again, then new ones that ``plan`` cuts out of what is due.

    The membership of the new ones is committed with this transaction, before anything is sent: a command leaves
    ``pending`` for exactly one batch, and a batch for outcomes or for other batches.
    """
    _prove(connection, lane)
    again = _due_batches(connection, lane, now)
    made = [Batch(new_id(), form, tuple(some), 0) for form, some in plan(_due(connection, lane, now, limit))]
    p = pending.c
    taken = delete(pending).where(
        p.account_id == lane.account_id, p.kind == lane.kind, p.command_id == bindparam("id_")
    )
    ids = [{"id_": member.id} for batch in made for member in batch.members]
    if ids:
        connection.execute(taken, ids)
    _insert_batches(connection, lane, [(b.id, b.form, [m.id for m in b.members]) for b in made], now)
    return again + made


def _due_batches(connection: Connection, lane: Lane, now: int) -> list[Batch]:
    b = batches.c
    mine = select(batches).where(b.account_id == lane.account_id, b.kind == lane.kind, b.run_at <= now)
    rows = connection.execute(mine.order_by(b.id)).all()
    ids = {row.id: _unpack(row.command_ids) for row in rows}
    members = _members(connection, lane, [id_ for some in ids.values() for id_ in some])
    return [Batch(row.id, row.form, tuple(members[id_] for id_ in ids[row.id]), row.attempts) for row in rows]


def _due(connection: Connection, lane: Lane, now: int, limit: int) -> list[Member]:
    """The next commands of a lane, live before back-fill, oldest first."""
    p = pending.c
    ids: list[int] = []
    for backfill in (False, True):  # two ranges of the index; one query would walk every delayed live row first
        query = (
            select(p.command_id)
            .where(p.account_id == lane.account_id, p.kind == lane.kind, p.backfill.is_(backfill), p.run_at <= now)
            .order_by(p.run_at, p.command_id)
            .limit(limit - len(ids))
        )
        ids += connection.scalars(query)
    members = _members(connection, lane, ids)
    return [members[id_] for id_ in ids]


def _members(connection: Connection, lane: Lane, ids: Sequence[int]) -> dict[int, Member]:
    c = commands.c
    columns = select(c.id, c.name, c.profile, c.payload, c.created_at)
    found: dict[int, Member] = {}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for row in connection.execute(columns.where(c.account_id == lane.account_id, c.id.in_(part))):
            found[row.id] = Member(*row)
    return found


def _insert_batches(
    connection: Connection, lane: Lane, made: Sequence[tuple[int, str, Sequence[int]]], now: int
) -> None:
    rows = [
        {"account_id": lane.account_id, "kind": lane.kind, "id": id_, "form": form_name, "command_ids": _pack(ids),
         "attempts": 0, "run_at": now, "created_at": now}
        for id_, form_name, ids in made
    ]  # fmt: skip
    if rows:
        connection.execute(insert(batches), rows)


def settle(connection: Connection, lane: Lane, done: Settlement, now: int) -> None:
    """Write one step's results; raises ``LeaseLost`` and writes nothing when the lane is no longer ours."""
    _prove(connection, lane)
    own = {"account_id": lane.account_id}
    if done.attempts:
        calls = [{**own, "kind": lane.kind, "id": new_id(), **call._asdict()} for call in done.attempts]
        connection.execute(insert(attempts), calls)
    if done.verdicts:
        connection.execute(insert(outcomes), [{**own, "at": now, **verdict._asdict()} for verdict in done.verdicts])
    b = batches.c
    if done.closed:
        closed = delete(batches).where(b.account_id == lane.account_id, b.kind == lane.kind, b.id == bindparam("id_"))
        connection.execute(closed, [{"id_": id_} for id_ in done.closed])
    _insert_batches(connection, lane, [(new_id(), form_name, ids) for form_name, ids in done.split], now)
    c = commands.c
    for command_id, profile in done.repaired:
        mended = update(commands).where(c.account_id == lane.account_id, c.id == command_id)
        connection.execute(mended.values(profile=profile))
    for batch_id, run_at in done.retries:
        later = update(batches).where(b.account_id == lane.account_id, b.kind == lane.kind, b.id == batch_id)
        connection.execute(later.values(run_at=run_at, attempts=b.attempts + 1))
    n = lanes.c
    mine = update(lanes).where(n.account_id == lane.account_id, n.kind == lane.kind)
    connection.execute(mine.values(pacing=done.pacing))
    if done.not_before is not None:
        connection.execute(mine.values(not_before=done.not_before))


def pause_account(connection: Connection, account_id: str, reason: str, until: int) -> None:
    """Stop every lane of an account until the next probe."""
    connection.execute(update(lanes).where(lanes.c.account_id == account_id).values(paused=reason, not_before=until))


def resume_account(connection: Connection, account_id: str, now: int) -> int:
    """The key works again: every paused lane of the account goes on. Says how many."""
    n = lanes.c
    paused = and_(n.account_id == account_id, n.paused.is_not(None))
    return connection.execute(update(lanes).where(paused).values(paused=None, not_before=now)).rowcount


def overview(connection: Connection, account_id: str | None = None) -> Sequence[Row[tuple[object, ...]]]:
    """Every lane, for people: how much waits there and since when, and how much is under way in batches."""
    n, p, b = lanes.c, pending.c, batches.c
    due = _by_lane(p.account_id, p.kind, func.count().label("waiting"), func.min(p.run_at).label("oldest_due"))
    held = _by_lane(b.account_id, b.kind, (func.sum(func.length(b.command_ids)) // ID_BYTES).label("sending"))
    query = (
        select(lanes, func.coalesce(due.c.waiting, 0).label("waiting"), due.c.oldest_due,
               func.coalesce(held.c.sending, 0).label("sending"))
        .outerjoin(due, and_(due.c.account_id == n.account_id, due.c.kind == n.kind))
        .outerjoin(held, and_(held.c.account_id == n.account_id, held.c.kind == n.kind))
        .order_by(n.account_id, n.kind)
    )  # fmt: skip
    if account_id is not None:
        query = query.where(n.account_id == account_id)
    return connection.execute(query).all()


def _by_lane(account_id: Column[str], kind: Column[str], *sums: Label[int]) -> Subquery:
    return select(account_id, kind, *sums).group_by(account_id, kind).subquery()


def _prove(connection: Connection, lane: Lane) -> None:
    n = lanes.c
    query = select(n.epoch).where(n.account_id == lane.account_id, n.kind == lane.kind).with_for_update()
    if connection.scalar(query) != lane.epoch:
        raise LeaseLost(f"lane {lane.account_id}/{lane.kind}")


def _pack(ids: Sequence[int]) -> bytes:
    return pack(f">{len(ids)}q", *ids)


def _unpack(packed: bytes) -> tuple[int, ...]:
    return unpack(f">{len(packed) // ID_BYTES}q", packed)
