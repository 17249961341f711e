"""The front door: nothing unauthenticated is stored, nothing is answered before it is durable, all else is kept."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, select
from starlette.types import Receive, Scope, Send

from app.connections import Connected
from app.intake import WAITING_ROWS, FrontDoor, GroupCommit
from app.refusals import Refusals
from app.store.engine import Database
from app.store.sqlite import SQLite
from app.store.tables import webhooks
from tests.shop import TOKEN, connected, source

PATH = "/webhooks/shop/shop-1"
HEADERS = {"x-token": TOKEN}


async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"elsewhere"})


class House:
    """A front door on a real database, called through its ASGI interface."""

    def __init__(self, database: Database, *here: Connected) -> None:
        platform = source()
        self.database = database
        self.connections = {c.id: Connected(c.id, platform, *_rest(c)) for c in here or (connected(),)}
        self.woken = 0
        self.commit = GroupCommit(database, self._wake)
        self.refusals = Refusals()
        door = FrontDoor(elsewhere, [platform], self.connections, self.commit, self.refusals, clock=lambda: 1_000.0)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://gateway")

    def _wake(self) -> None:
        self.woken += 1

    async def post(self, content: bytes | Iterable[bytes], path: str = PATH, **headers: str) -> httpx.Response:
        body: Any = content
        return await self.client.post(path, content=body, headers={**HEADERS, **headers})

    async def stored(self) -> list[bytes]:
        def bodies(connection: Connection) -> list[bytes]:
            return list(connection.scalars(select(webhooks.c.body).order_by(webhooks.c.id)))

        return await self.database.read(bodies)


def _rest(connection: Connected) -> tuple[Any, ...]:
    c = connection
    return (c.account_id, c.enabled, c.secrets, c.raw_settings, c.scopes)


def hold(until: threading.Event) -> None:
    until.wait(10)


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def house_on_a_file(file: SQLite) -> House:
    """For what a thread can hold up, or a full file."""
    return House(file)


async def test_a_webhook_is_stored_as_it_came_and_then_answered(house: House) -> None:
    answer = await house.post(b'{"event": "sold" }')
    assert (answer.status_code, answer.text) == (200, "ok")
    assert await house.stored() == [b'{"event": "sold" }']
    assert house.woken == 1


async def test_the_same_body_again_is_acknowledged_and_not_stored_again(house: House) -> None:
    await house.post(b"{}")
    assert (await house.post(b"{}")).status_code == 200
    assert len(await house.stored()) == 1


async def test_whatever_is_authenticated_is_taken(house: House) -> None:
    for body in (b"", b"not json", b"\xff\xfe\x00", b'{"a":NaN}', b'"\\ud800"', b"[" * 5000):
        assert (await house.post(body)).status_code == 200
    assert len(await house.stored()) == 6


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper()])
async def test_a_wrong_signature_is_401_with_one_and_the_same_body(house: House, token: str) -> None:
    answer = await house.post(b"{}", **{"x-token": token})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "urn:klaviyo-gateway:unauthorized", "title": "Not authenticated", "status": 401}
    assert await house.stored() == []


async def test_no_secret_no_door(database: Database) -> None:
    shut = Connected("shut", source(), "main", True, {}, {}, {})
    off = Connected("off", source(), "main", False, {"token": TOKEN}, {}, {})
    house = House(database, shut, off)
    answers = [await house.post(b"{}", f"/webhooks/shop/{name}") for name in ("shut", "off", "unknown")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1


async def test_what_is_no_door_goes_on_to_the_application(house: House) -> None:
    for path in ("/", "/webhooks", "/webhooks/shop", "/webhooks/shop/", "/webhooks/shop/shop-1/more", "/webhooks//x"):
        assert (await house.client.post(path)).status_code == 404
    assert (await house.client.get(PATH)).text == "elsewhere"


async def test_too_much_is_refused_while_it_streams(house: House) -> None:
    def stream() -> Iterable[bytes]:
        for _ in range(11):
            yield b"x" * 1000

    async def chunks() -> Any:
        for chunk in stream():
            yield chunk

    assert (await house.post(b"x" * 10_001)).status_code == 413
    assert (await house.client.post(PATH, content=chunks(), headers=HEADERS)).status_code == 413
    assert (await house.post(b"x" * 10_000)).status_code == 200
    assert len(await house.stored()) == 1


async def test_gzip_is_inflated_and_bombs_are_refused(house: House) -> None:
    order = json.dumps({"event": "sold", "note": "æ" * 100}).encode()
    assert (await house.post(gzip.compress(order), **{"content-encoding": "gzip"})).status_code == 200
    assert await house.stored() == [order]
    bomb = gzip.compress(b"\0" * 11_000_000)
    assert len(bomb) > 10_000  # refused for its size already; a smaller one for its ratio
    small = gzip.compress(b"\0" * 2_000_000)
    assert (await house.post(small, **{"content-encoding": "gzip"})).status_code == 413
    assert (await house.post(gzip.compress(order)[:-5], **{"content-encoding": "gzip"})).status_code == 400
    assert (await house.post(b"plain", **{"content-encoding": "gzip"})).status_code == 400
    assert (await house.post(b"{}", **{"content-encoding": "br"})).status_code == 415
    assert len(await house.stored()) == 1


async def test_waiting_requests_share_one_commit(house: House) -> None:
    answers = await asyncio.gather(*(house.post(b'{"n":%d}' % n) for n in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await house.stored()) == 200
    assert house.woken < 50, "200 webhooks took as many commits as a naive gateway would"


async def test_a_failing_store_is_503_with_a_time_and_never_a_lie(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OSError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(house.database, "write", fail)
        answer = await house.post(b"{}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:klaviyo-gateway:busy"
    assert (await house.post(b"{}")).status_code == 200


async def test_a_full_disk_is_503_and_works_again_when_there_is_room(house_on_a_file: House) -> None:
    def limit(connection: Connection, pages: int) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def used(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)

    await house_on_a_file.database.write(limit, await house_on_a_file.database.write(used))
    statuses = [(await house_on_a_file.post(b"%d" % n * 2000)).status_code for n in range(1, 5)]
    assert 503 in statuses
    await house_on_a_file.database.write(limit, 1_000_000)
    assert (await house_on_a_file.post(b"room again")).status_code == 200
    assert len(await house_on_a_file.stored()) == statuses.count(200) + 1


async def test_a_store_that_hangs_is_503_before_the_platform_gives_up(
    house_on_a_file: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.intake.ACK_SECONDS", 0.05)
    go_on = threading.Event()
    held = asyncio.create_task(house_on_a_file.database.write(lambda _: hold(go_on)))
    answer = await house_on_a_file.post(b"{}")
    assert answer.status_code == 503
    go_on.set()
    await held
    assert (
        await house_on_a_file.post(b"{}")
    ).status_code == 200  # the first one was stored after all: a repeat is no harm
    assert len(await house_on_a_file.stored()) == 1


async def test_too_many_waiting_are_shed(house_on_a_file: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.intake.WAITING_ROWS", 3)
    go_on = threading.Event()
    held = asyncio.create_task(house_on_a_file.database.write(lambda _: hold(go_on)))
    posts = [asyncio.create_task(house_on_a_file.post(b"%d" % n)) for n in range(20)]
    done, _ = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().status_code for task in done} == {503}
    go_on.set()
    await held
    statuses = [(await task).status_code for task in posts]
    assert len(await house_on_a_file.stored()) == statuses.count(200)
    assert WAITING_ROWS > 1000
