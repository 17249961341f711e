"""Pull the plug while webhooks pour in: whatever was acknowledged reaches Klaviyo's ledger exactly once.

The gateway is a child process killed by SIGKILL at random moments; the sandbox Klaviyo is another child that lives on
and is the judge. ``CRASH_KILLS`` sets how often (default 50), ``CRASH_SEED`` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.bench.orders import CONNECTION, SECRET, request
from tests.running import Child, free_port, gateway, seed

KILLS = int(os.environ.get("CRASH_KILLS", "50"))
SEED = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().randrange(10**6))))
POSTERS = 8
SETTINGS = {"base_currency": "SEK", "base_url": "https://crash.example.com", "rates": {"EUR": "11.4"}}


@dataclass
class Shop:
    """Posts orders without end and notes which were acknowledged."""

    port: int
    chance: random.Random
    acknowledged: set[int] = field(default_factory=set)
    posted: int = 0
    refused: int = 0
    ended: bool = False

    async def post(self) -> None:
        """One keep-alive connection's worth of orders, again and again; a cut connection acknowledges nothing."""
        while not self.ended:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            try:
                while not self.ended:
                    n, self.posted = self.posted, self.posted + 1
                    writer.write(request(n))
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
                    await reader.readexactly(length)
                    if head[9:12] == b"202":
                        self.acknowledged.add(n)
                    else:
                        self.refused += 1
                    await asyncio.sleep(self.chance.random() * 0.01)
            except (OSError, asyncio.IncompleteReadError):
                continue
            finally:
                writer.close()


def waiting(data: Path) -> int:
    """How much is neither translated nor delivered."""
    tables = ("untranslated", "pending", "batches")
    with sqlite3.connect(f"file:{data / 'gateway.db'}?mode=ro", uri=True) as file:
        return sum(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def order_id(n: int) -> str:
    return str(10_000_000 + n)


@pytest.mark.crash
async def test_every_acknowledged_webhook_is_in_the_ledger_exactly_once(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    seed(
        f"sqlite:///{tmp_path / 'gateway.db'}",
        connection=CONNECTION,
        settings=SETTINGS,
        secrets={"endpoint_secret": SECRET},
    )
    klaviyo = Child([sys.executable, "-m", "app.klaviyo.sandbox", "--port", str(port := free_port())], port)
    ledger = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
    await ledger.post("/sandbox/clock", json={"scale": 60})
    await ledger.post(
        "/sandbox/faults",
        json=[
            {"match": {}, "times": None, "probability": 0.5, "seed": SEED, "action": {"delay_ms": 40}},
            {"match": {}, "times": None, "probability": 0.05, "seed": SEED + 1, "action": {"reset": "after"}},
            {"match": {}, "times": None, "probability": 0.05, "seed": SEED + 2, "action": {"status": 500}},
        ],
    )
    shop = Shop(free_port(), chance)
    posters = [asyncio.create_task(shop.post()) for _ in range(POSTERS)]
    child = await asyncio.to_thread(gateway, tmp_path, klaviyo_url=str(ledger.base_url), port=shop.port)
    try:
        for _ in range(KILLS):
            await asyncio.sleep(0.15 + chance.random() * 0.6)
            child.kill()
            child = await asyncio.to_thread(gateway, tmp_path, klaviyo_url=str(ledger.base_url), port=shop.port)
        shop.ended = True
        await asyncio.gather(*posters)
        until = time.monotonic() + 120
        while waiting(tmp_path) and time.monotonic() < until:
            await asyncio.sleep(0.2)
        answer = (await ledger.get("/sandbox/ledger", params={"kind": "events", "fields": "ids"})).json()
    finally:
        shop.ended = True
        child.kill()
        klaviyo.kill()
        await ledger.aclose()
    entries = answer["items"]
    placed = {entry["unique_id"]: entry for entry in entries if entry["metric"] == "Placed Order"}
    products = {entry["unique_id"] for entry in entries if entry["metric"] == "Ordered Product"}
    repeats = sum(entry["repeats"] for entry in entries)
    print(
        f"kills {KILLS}, posted {shop.posted}, acknowledged {len(shop.acknowledged)}, refused {shop.refused}, "
        f"in the ledger {len(placed)} orders and {len(products)} products, repeated sends {repeats}"
    )
    assert len(shop.acknowledged) > KILLS * 20, "too few webhooks came through for the test to mean anything"
    assert waiting(tmp_path) == 0
    assert not [n for n in shop.acknowledged if order_id(n) not in placed], "acknowledged and lost"
    assert len(products) == len(placed)
    assert len({(entry["metric"], entry["unique_id"]) for entry in entries}) == len(entries), "an effect twice"
