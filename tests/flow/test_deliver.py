"""Commands reach Klaviyo inside its rules; whatever it answers, nothing is lost and nothing doubled."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.connections import Account, Connections
from app.deliver import PROBE_SECONDS, Delivery
from app.klaviyo.client import AccountState, Klaviyo
from app.klaviyo.commands import Kind, Stored, dumps
from app.klaviyo.outcomes import Reply
from app.retry import HORIZON_SECONDS
from app.store import commands, lanes
from app.store.commands import Ordered
from app.store.engine import Database

Script = Callable[[str, dict[str, Any]], Reply]


def answer(status: int, body: object = None, **headers: str) -> Reply:
    return Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(body or {}).encode())


LOST = Reply(None, {}, b"", "cut off")


class Plug(BaseException):
    """Passes every ``except Exception``, as the end of a process does."""


class Post:
    """A delivery on a real database; Klaviyo is a script, for the answers that no real part can be made to give."""

    def __init__(self, database: Database) -> None:
        self.now = 1_000_000.0
        self.calls: list[tuple[float, str, dict[str, Any]]] = []
        self.script: Script = lambda path, body: answer(202)
        self.alive = True
        self.probes = 0
        self.database = database
        accounts = {"main": Account("main", "pk_1"), "other": Account("other", "pk_2")}
        fixed = cast(Connections, SimpleNamespace(accounts=accounts))
        self.delivery = Delivery(database, fixed, cast(Klaviyo, self), clock=lambda: self.now)

    async def send(self, private_key: str, path: str, body: bytes | None, method: str = "POST") -> Reply:
        parsed = json.loads(body or b"{}")
        self.calls.append((self.now, path, parsed))
        return self.script(path, parsed)

    async def account(self, private_key: str) -> AccountState:
        self.probes += 1
        return AccountState(200 if self.alive else 401, "")

    async def order(self, *ids: int, account: str = "main", kind: Kind = Kind.TRACK, phone: bool = True) -> None:
        await self.database.write(
            commands.store, [self._ordered(id_, account, kind, phone) for id_ in ids], int(self.now * 1000)
        )

    @staticmethod
    def _ordered(id_: int, account: str, kind: Kind, phone: bool) -> Ordered:
        person = {"email": f"p{id_}@shop.test", **({"phone_number": "+46701740605"} if phone else {})}
        profile = dumps({"type": "profile", "attributes": person})
        payload = {
            "metric": {"data": {"type": "metric", "attributes": {"name": "Sold"}}}, "properties": {},
            "time": "2026-11-20T12:00:00Z", "unique_id": str(id_),
        }  # fmt: skip
        stored = Stored(kind, "Sold", id_.to_bytes(16, "big"), str(id_), profile, dumps(payload))
        return Ordered(account, "shop-1", 1, stored.key, stored, False)

    async def states(self) -> dict[str, list[int]]:
        rows = await self.database.read(commands.page, account_id=None, state=None, name=None, before=None, limit=5000)
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row.state, []).append(int(json.loads(row.payload)["unique_id"]))
        return {state: sorted(ids) for state, ids in found.items()}

    async def drain_for(self, seconds: float) -> None:
        """Let time pass in small steps, serving lanes whenever they are due."""
        until = self.now + seconds
        while self.now < until:
            await self.delivery.drain()
            self.now += 0.5


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)


def unique_ids(body: dict[str, Any]) -> list[str]:
    attributes = body["data"]["attributes"]
    if "events-bulk-create" not in attributes:
        return [attributes["unique_id"]]
    groups = attributes["events-bulk-create"]["data"]
    return [e["attributes"]["unique_id"] for g in groups for e in g["attributes"]["events"]["data"]]


async def test_few_go_singly_at_once_and_are_accepted(post: Post) -> None:
    await post.order(1, 2, 3)
    await post.delivery.drain()
    assert [path for _, path, _ in post.calls] == ["/api/events"] * 3
    assert await post.states() == {"accepted": [1, 2, 3]}


async def test_many_go_together(post: Post) -> None:
    await post.order(*range(1, 1501))
    await post.delivery.drain()
    assert [(path, len(unique_ids(body))) for _, path, body in post.calls] == [
        ("/api/event-bulk-create-jobs", 1000), ("/api/event-bulk-create-jobs", 500),
    ]  # fmt: skip
    assert await post.states() == {"accepted": list(range(1, 1501))}


@pytest.mark.parametrize("reply", [LOST, answer(500), answer(503), answer(429, retry_after="2"), answer(520)])
async def test_after_an_unknown_or_refused_send_the_identical_batch_goes_again(post: Post, reply: Reply) -> None:
    await post.order(*range(1, 31))
    post.script = lambda path, body: reply
    await post.delivery.drain()
    assert await post.states() == {"sending": list(range(1, 31))}
    await post.order(31)
    post.script = lambda path, body: answer(202)
    await post.drain_for(5)
    bodies = [body for _, path, body in post.calls if "bulk" in path]
    assert bodies[0] == bodies[1], "the same members in the same bytes"
    assert len(bodies) == 2
    assert await post.states() == {"accepted": list(range(1, 32))}


async def test_nothing_is_sent_before_retry_after(post: Post) -> None:
    await post.order(1)
    post.script = lambda path, body: answer(429, retry_after="30")
    await post.drain_for(1)
    first = post.calls[0][0]
    await post.order(2, 3)
    post.script = lambda path, body: answer(202)
    await post.drain_for(29)
    assert len(post.calls) == 1
    await post.drain_for(3)
    assert all(at >= first + 30 for at, _, _ in post.calls[1:])
    assert await post.states() == {"accepted": [1, 2, 3]}


async def test_after_seven_days_of_no_a_command_is_parked_and_kept(post: Post) -> None:
    await post.order(1)
    post.script = lambda path, body: answer(500)
    await post.delivery.drain()
    post.now += HORIZON_SECONDS - 60
    await post.delivery.drain()
    assert await post.states() == {"sending": [1]}
    post.now += 1000
    await post.delivery.drain()
    assert await post.states() == {"parked": [1]}


async def test_a_pointed_poison_costs_one_more_call_and_keeps_klaviyos_text(post: Post) -> None:
    def script(path: str, body: dict[str, Any]) -> Reply:
        ids = unique_ids(body)
        if "17" not in ids:
            return answer(202)
        pointer = f"/data/attributes/events-bulk-create/data/{ids.index('17')}/attributes/profile"
        error = {"title": "Bad.", "detail": "Invalid email address", "source": {"pointer": pointer}}
        return answer(400, {"errors": [error]})

    post.script = script
    await post.order(*range(1, 1001))
    await post.delivery.drain()
    assert len(post.calls) == 2
    states = await post.states()
    assert states["rejected"] == [17]
    assert len(states["accepted"]) == 999
    (row,) = await post.database.read(
        commands.page, account_id="main", state="rejected", name=None, before=None, limit=9
    )
    assert "Invalid email address" in row.detail


async def test_an_unpointed_poison_is_found_by_halving(post: Post) -> None:
    post.script = lambda path, body: answer(400 if "17" in unique_ids(body) else 202)
    await post.order(*range(1, 101))
    await post.drain_for(5)
    states = await post.states()
    assert states["rejected"] == [17]
    assert len(states["accepted"]) == 99


async def test_a_refused_phone_is_left_out_and_the_operator_sees_what_was_sent(post: Post) -> None:
    def script(path: str, body: dict[str, Any]) -> Reply:
        if "phone_number" in body["data"]["attributes"]["profile"]["data"]["attributes"]:
            pointer = {"pointer": "/data/attributes/profile/data/attributes/phone_number"}
            return answer(400, {"errors": [{"title": "Bad.", "detail": "ineligible", "source": pointer}]})
        return answer(202)

    post.script = script
    await post.order(1)
    await post.delivery.drain()
    assert await post.states() == {"accepted": [1]}
    (row,) = await post.database.read(commands.page, account_id=None, state=None, name=None, before=None, limit=9)
    assert b"phone_number" not in row.profile


@pytest.mark.parametrize("status", [404, 405, 415])
async def test_a_single_refusal_is_final(post: Post, status: int) -> None:
    post.script = lambda path, body: answer(status)
    await post.order(1)
    await post.drain_for(60)
    assert len(post.calls) == 1
    assert await post.states() == {"rejected": [1]}


async def test_a_revoked_key_pauses_the_account_loses_nothing_and_resumes_by_itself(post: Post) -> None:
    post.alive = False
    post.script = lambda path, body: answer(401)
    await post.order(*range(1, 1501))
    await post.order(7, kind=Kind.UPSERT_PROFILE)
    await post.order(9, account="other")
    await post.drain_for(3 * PROBE_SECONDS)
    refused = [path for _, path, _ in post.calls]
    assert len(refused) <= 3 + 1, "at most three for the account, one for the other"
    assert post.probes <= 2 * 4, "one a minute and account"
    assert all(row.paused for row in await post.database.read(lanes.overview))
    post.alive, post.script = True, lambda path, body: answer(202)
    await post.drain_for(PROBE_SECONDS + 1)
    assert set(await post.states()) == {"accepted"}
    assert not any(row.paused for row in await post.database.read(lanes.overview))


async def test_single_sends_stay_under_klaviyos_second(post: Post) -> None:
    post.script = lambda path, body: answer(201)
    await post.order(*range(1, 301), kind=Kind.UPSERT_PROFILE)
    await post.delivery.drain()
    assert len(post.calls) == 67, "nine tenths of 75 a second"
    await post.drain_for(5)
    by_second: dict[int, int] = {}
    for at, _, _ in post.calls:
        by_second[int(at)] = by_second.get(int(at), 0) + 1
    assert max(by_second.values()) <= 67
    assert await post.states() == {"accepted": list(range(1, 301))}


async def test_what_a_dead_process_had_under_way_is_sent_again_unchanged(post: Post) -> None:
    await post.order(*range(1, 31))

    def pull_the_plug(path: str, body: dict[str, Any]) -> Reply:
        raise Plug

    post.script = pull_the_plug
    with pytest.raises(Plug):
        await post.delivery.drain()
    restarted = Post(post.database)
    restarted.now = post.now
    await restarted.order(*range(31, 61))
    await restarted.database.write(lanes.clear_leases)
    await restarted.delivery.drain()
    assert restarted.calls[0][2] == post.calls[0][2]
    assert await restarted.states() == {"accepted": list(range(1, 61))}
