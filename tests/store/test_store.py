"""The store's promises on a real SQLite file: once, durable, fenced, conserved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.errors import LeaseLost
from app.klaviyo.commands import Kind, Stored
from app.migrate import upgrade
from app.store import commands, lanes, webhooks
from app.store.bodies import COMPRESS_FROM, RAW, ZLIB, pack, unpack
from app.store.commands import Ordered
from app.store.engine import Database, open_database
from app.store.ids import Ids
from app.store.lanes import Member, Settlement, Verdict
from app.store.sqlite import FileInUse, SQLite
from app.store.webhooks import Arrived, Translated


def arrived(n: int, key: int | None = None, body: bytes = b"{}") -> Arrived:
    return Arrived("shop", (n if key is None else key).to_bytes(16, "big"), "events", "push", 1000 + n, body)


def ordered(n: int, *, backfill: bool = False, kind: Kind = Kind.TRACK, account: str = "main") -> Ordered:
    stored = Stored(kind, "Placed Order", n.to_bytes(16, "big"), str(n), b'{"p":%d}' % n, b"{}")
    return Ordered(account, "shop", 1, n.to_bytes(16, "big"), stored, backfill)


def singly(members: Sequence[Member]) -> list[tuple[str, Sequence[Member]]]:
    return [("single", [member]) for member in members]


def together(members: Sequence[Member]) -> list[tuple[str, Sequence[Member]]]:
    return [("bulk", members)] if members else []


def settlement(**changes: object) -> Settlement:
    empty = Settlement([], [], [], [], [], [], None, "{}")
    return empty._replace(**changes)  # type: ignore[arg-type]


async def test_a_webhook_is_stored_once_however_often_it_comes(database: Database) -> None:
    first = await database.write(webhooks.store, [arrived(1), arrived(2)])
    assert [kept.new for kept in first] == [True, True]
    again = await database.write(webhooks.store, [arrived(2), arrived(3), arrived(1)])
    assert [kept.new for kept in again] == [False, True, False]
    assert (again[2].id, again[0].id) == (first[0].id, first[1].id)
    due = await database.write(webhooks.claim, 5000, 9000, 10)
    assert [webhook.received_at for webhook in due] == [1001, 1002, 1003]


async def test_a_repeat_inside_one_group_is_found(database: Database) -> None:
    one, other = await database.write(webhooks.store, [arrived(1, key=7), arrived(2, key=7)])
    assert (one.id, one.new, other.new) == (other.id, True, False)
    assert len(await database.write(webhooks.claim, 5000, 9000, 10)) == 1


async def test_more_webhooks_than_one_statement_holds(database: Database) -> None:
    fresh = await database.write(webhooks.store, [arrived(n) for n in range(450)])
    assert [kept.new for kept in fresh] == [True] * 450


async def test_a_clash_of_ids_is_an_error_and_not_a_silent_loss(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "new_id", lambda: 42)
    await database.write(webhooks.store, [arrived(1)])
    with pytest.raises(IntegrityError):
        await database.write(webhooks.store, [arrived(2)])


async def test_bodies_come_back_byte_for_byte(database: Database) -> None:
    bodies = [b"", b"\x00\xff", b"x" * (COMPRESS_FROM - 1), b'{"a":"\\u0000"}' * 2000]
    await database.write(webhooks.store, [arrived(n, body=body) for n, body in enumerate(bodies)])
    due = await database.write(webhooks.claim, 5000, 9000, 10)
    assert [webhook.body for webhook in due] == bodies
    assert pack(b"x" * COMPRESS_FROM)[0] == ZLIB
    assert pack(b"x")[0] == RAW
    assert unpack(*pack(b"x" * 100_000)) == b"x" * 100_000


async def test_a_claimed_webhook_is_nobody_elses_until_the_claim_ends(database: Database) -> None:
    await database.write(webhooks.store, [arrived(1)])
    assert len(await database.write(webhooks.claim, 2000, 3000, 10)) == 1
    assert await database.write(webhooks.claim, 2999, 4000, 10) == []
    assert len(await database.write(webhooks.claim, 3000, 4000, 10)) == 1
    await database.write(webhooks.release_claims)
    assert len(await database.write(webhooks.claim, 3001, 4000, 10)) == 1


async def test_a_postponed_webhook_comes_back_at_its_time_with_its_answers(database: Database) -> None:
    await database.write(webhooks.store, [arrived(1)])
    (due,) = await database.write(webhooks.claim, 2000, 3000, 10)
    await database.write(webhooks.keep_answer, due, "order:7", b'{"first":1}', 2100)
    await database.write(webhooks.keep_answer, due, "order:7", b'{"second":1}', 2200)
    await database.write(webhooks.postpone, due, 8000, "Centra is away")
    assert await database.write(webhooks.claim, 7999, 9000, 10) == []
    (again,) = await database.write(webhooks.claim, 8000, 9000, 10)
    assert (again.attempts, again.answers) == (1, {"order:7": b'{"first":1}'})


async def test_a_translated_webhook_is_done_until_it_is_replayed(database: Database) -> None:
    await database.write(webhooks.store, [arrived(1)])
    (due,) = await database.write(webhooks.claim, 2000, 3000, 10)
    await database.write(webhooks.settle, [Translated("shop", due.id, "mapped", "[]", 1, 2500)])
    assert await database.write(webhooks.claim, 99_999, 100_000, 10) == []
    assert await database.write(webhooks.again, "shop", [due.id, 999], 3000) == 1
    (again,) = await database.write(webhooks.claim, 99_999, 100_000, 10)
    await database.write(webhooks.settle, [Translated("shop", again.id, "ignored", "[]", 0, 3500)])
    found = await database.read(webhooks.find, due.id)
    assert found is not None
    assert found[0].state == "ignored"


async def test_a_command_is_stored_once_per_account_and_kind(database: Database) -> None:
    assert (await database.write(commands.store, [ordered(1), ordered(2), ordered(1)], 0)).count(None) == 2
    assert (await database.write(commands.store, [ordered(2), ordered(1, kind=Kind.SUBSCRIBE)], 0)).count(None) == 1
    assert (await database.write(commands.store, [ordered(1, account="other")], 0)).count(None) == 1
    assert await database.read(commands.conservation) == {"commands": 4, "lost": 0, "both": 0}


async def test_one_worker_holds_a_lane_and_the_longest_waiting_comes_first(database: Database) -> None:
    await database.write(commands.store, [ordered(1), ordered(2, account="other")], 0)
    first = await database.write(lanes.lease, "w1", 100, 1000)
    second = await database.write(lanes.lease, "w2", 100, 1000)
    assert first is not None
    assert second is not None
    assert {first.account_id, second.account_id} == {"main", "other"}
    assert await database.write(lanes.lease, "w3", 999, 2000) is None
    await database.write(lanes.release, second, 200)
    third = await database.write(lanes.lease, "w3", 999, 2000)
    assert third is not None
    assert third.account_id == second.account_id
    assert third.epoch == second.epoch + 1


async def test_who_lost_the_lease_writes_nothing(database: Database) -> None:
    await database.write(commands.store, [ordered(1)], 0)
    zombie = await database.write(lanes.lease, "w1", 100, 200)
    assert zombie is not None
    (batch,) = await database.write(lanes.prepare, zombie, 100, 10, singly)
    rightful = await database.write(lanes.lease, "w2", 300, 900)
    assert rightful is not None
    done = settlement(verdicts=[Verdict(batch.members[0].id, batch.id, "accepted", "")], closed=[batch.id])
    with pytest.raises(LeaseLost):
        await database.write(lanes.settle, zombie, done, 300)
    with pytest.raises(LeaseLost):
        await database.write(lanes.prepare, zombie, 300, 10, singly)
    (same,) = await database.write(lanes.prepare, rightful, 300, 10, singly)
    assert same == batch
    await database.write(lanes.settle, rightful, done, 300)
    assert await database.read(commands.conservation) == {"commands": 1, "lost": 0, "both": 0}


async def test_membership_is_committed_before_sending_and_never_changes(database: Database) -> None:
    await database.write(commands.store, [ordered(n) for n in range(30)], 0)
    lane = await database.write(lanes.lease, "w1", 100, 200)
    assert lane is not None
    (batch,) = await database.write(lanes.prepare, lane, 100, 20, together)
    assert len(batch.members) == 20
    await database.write(commands.store, [ordered(n) for n in range(30, 40)], 50)
    after_crash = await database.write(lanes.lease, "w2", 300, 900)
    assert after_crash is not None
    again, rest = await database.write(lanes.prepare, after_crash, 300, 1000, together)
    assert again == batch
    assert len(rest.members) == 20
    assert not {m.id for m in again.members} & {m.id for m in rest.members}


async def test_a_batch_to_retry_waits_and_the_others_go_on(database: Database) -> None:
    await database.write(commands.store, [ordered(1)], 0)
    lane = await database.write(lanes.lease, "w1", 100, 9999)
    assert lane is not None
    (batch,) = await database.write(lanes.prepare, lane, 100, 10, singly)
    await database.write(lanes.settle, lane, settlement(retries=[(batch.id, 5000)]), 100)
    await database.write(commands.store, [ordered(2)], 200)
    (other,) = await database.write(lanes.prepare, lane, 300, 10, singly)
    assert other.id != batch.id
    await database.write(lanes.settle, lane, settlement(retries=[(other.id, 9000)]), 300)
    (back,) = await database.write(lanes.prepare, lane, 5000, 10, singly)
    assert (back.id, back.attempts) == (batch.id, 1)


async def test_live_goes_before_backfill(database: Database) -> None:
    await database.write(commands.store, [ordered(1, backfill=True), ordered(2, backfill=True)], 0)
    await database.write(commands.store, [ordered(3)], 50)
    lane = await database.write(lanes.lease, "w1", 100, 9999)
    assert lane is not None
    (batch,) = await database.write(lanes.prepare, lane, 100, 2, together)
    assert [member.profile for member in batch.members] == [b'{"p":3}', b'{"p":1}']


async def test_a_paused_account_is_left_alone_until_its_probe(database: Database) -> None:
    await database.write(commands.store, [ordered(1), ordered(2, account="other")], 0)
    await database.write(lanes.pause_account, "main", "401", 60_000)
    lane = await database.write(lanes.lease, "w", 100, 200)
    assert lane is not None
    assert lane.account_id == "other"
    assert await database.write(lanes.lease, "w", 150, 200) is None
    probing = await database.write(lanes.lease, "w", 60_000, 61_000)
    assert probing is not None
    await database.write(lanes.release, lane, 60_000)
    assert probing.paused == "401" or probing.account_id == "other"
    await database.write(lanes.resume_account, "main", 60_000)
    assert all(row.paused is None for row in await database.read(lanes.overview))


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"):
        await database.read(lambda connection: connection.execute(text("DELETE FROM webhooks")))


async def test_a_failing_transaction_leaves_nothing(database: Database) -> None:
    def half(connection: object) -> None:
        webhooks.store(connection, [arrived(1)])  # type: ignore[arg-type]
        raise RuntimeError("pulled")

    with pytest.raises(RuntimeError):
        await database.write(half)
    assert await database.write(webhooks.claim, 9999, 9999, 10) == []


def test_a_second_gateway_on_the_same_file_is_refused(file: SQLite) -> None:
    with pytest.raises(FileInUse, match="another gateway"):
        open_database(f"sqlite:///{file.path}", exclusive=True)


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    first = open_database(url, exclusive=True)
    upgrade(first)
    first.write_now(webhooks.store, [arrived(1)])
    first.close_now()
    second = open_database(url, exclusive=True)
    assert len(second.write_now(webhooks.claim, 9999, 9999, 10)) == 1
    second.close_now()


def test_the_writer_is_durable_on_power_loss(file: SQLite) -> None:
    modes = file.write_now(
        lambda connection: (
            connection.exec_driver_sql("PRAGMA journal_mode").scalar(),
            connection.exec_driver_sql("PRAGMA synchronous").scalar(),
        )
    )
    assert modes == ("wal", 2)  # 2 is FULL


def test_ids_only_grow() -> None:
    ids = Ids()
    made = [ids.next() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert made[-1] < 2**63
