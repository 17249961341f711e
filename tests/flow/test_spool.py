"""PostgreSQL goes away and comes back: webhooks are taken all the while, and none is lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.drain import Drain
from app.intake import FrontDoor, GroupCommit
from app.main import create_app
from app.settings import Settings
from app.store import webhooks
from app.store.engine import open_database
from app.store.postgres import PostgreSQL
from app.store.spool import Spool
from app.store.webhooks import Arrived
from tests import postgres
from tests.running import MASTER_KEY


class Node:
    """A gateway's intake on a PostgreSQL that can be taken away."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.database = open_database(url)
        assert isinstance(self.database, PostgreSQL)
        self.spool = Spool(folder)
        self.woken = 0
        self.drain = Drain(self.database, self.spool, self._wake)
        self.commit = GroupCommit(self.database, self._wake, self.drain)

    def _wake(self) -> None:
        self.woken += 1

    async def post(self, n: int) -> webhooks.Kept:
        body = b"%d" % n
        return await self.commit.add(Arrived("shop", body.ljust(16), "events", "push", 1000 + n, body, 10**18 + n))

    async def stored(self) -> list[int]:
        rows = await self.database.read(webhooks.page, connection_id="shop", state=None, before=None, limit=1000)
        return sorted(row.received_at - 1000 for row in rows)


@pytest.fixture
async def node(postgresql: str, tmp_path: Path) -> AsyncIterator[Node]:
    with postgres.copy_of(postgresql) as url:
        made = Node(url, tmp_path)
        yield made
        await made.spool.close()
        await made.database.close()


async def test_while_the_database_is_away_webhooks_are_taken_and_come_in_later(node: Node) -> None:
    await node.post(0)
    with postgres.away(node.url):
        started = time.monotonic()
        kept = await asyncio.gather(*(node.post(n) for n in range(1, 101)))
        assert time.monotonic() - started < 3  # one second of patience, then straight to the spool
        assert [one.id for one in kept] == [10**18 + n for n in range(1, 101)]
        assert await node.spool.waiting() == 100
        with pytest.raises(Exception, match=r"not currently accepting|closed|terminat"):
            await node.drain.step()
        assert await node.spool.waiting() == 100
    assert await node.drain.step() == 100
    assert await node.stored() == list(range(101))
    assert await node.spool.waiting() == 0
    assert node.woken >= 2


async def test_what_is_drained_twice_is_stored_once(node: Node) -> None:
    rows = [Arrived("shop", b"%d".ljust(16) % n, "events", "push", 1000 + n, b"{}", 10**18 + n) for n in range(10)]
    await node.spool.add(rows)
    await node.database.write(webhooks.store, rows)  # killed between the database's commit and the spool's delete
    assert await node.drain.step() == 10
    assert await node.stored() == list(range(10))
    due = await node.database.write(webhooks.claim, 10**6, 10**6 + 1, 100)
    assert len(due) == 10


async def test_a_spool_outlives_its_process(node: Node, tmp_path: Path) -> None:
    with postgres.away(node.url):
        await node.post(1)
    await node.spool.close()
    again = Drain(node.database, Spool(tmp_path), lambda: None)
    assert await again.step() == 1
    assert await node.stored() == [1]
    await again.spool.close()


async def test_a_node_with_a_spool_is_ready_while_the_database_is_away(postgresql: str, tmp_path: Path) -> None:
    with postgres.copy_of(postgresql) as url:
        made = Settings(data_dir=tmp_path, master_key=SecretStr(MASTER_KEY), database_url=url)
        front = create_app(made, work=False)
        api = cast(FastAPI, cast(FrontDoor, front)._app)
        async with (
            api.router.lifespan_context(api),
            httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://gateway.test") as client,
        ):
            assert (await client.get("/health/ready")).status_code == 200
            with postgres.away(url):
                assert (await client.get("/health/ready")).status_code == 200
