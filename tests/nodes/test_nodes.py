"""Several processes on one PostgreSQL: two take webhooks, two work, and whoever dies is not missed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path

import httpx

from app.store import webhooks
from app.store.engine import open_database
from tests import postgres
from tests.bench.orders import CONNECTION, PATH, SECRET, request
from tests.running import MASTER_KEY, Child, Process, free_port, gateway, seed

ORDERS = int(os.environ.get("NODES_ORDERS", "400"))
KILLS = int(os.environ.get("NODES_KILLS", "6"))
SETTINGS = {"base_currency": "SEK", "rates": {"EUR": "11.4"}}
# What a dead node held comes back when its lease ends; the test does not wait for that but ends it.
EXPIRE = "UPDATE lanes SET lease_until = 0; UPDATE untranslated SET claimed_until = 0"


def worker(folder: Path, klaviyo_url: str, url: str) -> Process:
    """``gateway work``."""
    env = {"GATEWAY_DATA_DIR": str(folder), "GATEWAY_MASTER_KEY": MASTER_KEY, "GATEWAY_KLAVIYO_URL": klaviyo_url}
    command = [sys.executable, "-m", "app.cli", "work"]
    return Process(command, {**env, "GATEWAY_DATABASE_URL": url}, folder / "work.log")


async def post(client: httpx.AsyncClient, port: int, n: int) -> bool:
    """Post an order; says whether it was acknowledged."""
    head, _, body = request(n).partition(b"\r\n\r\n")
    signature = head.partition(b"x-centra-signature: ")[2].partition(b"\r\n")[0].decode()
    headers = {"content-type": "application/json", "x-centra-signature": signature}
    answer = await client.post(f"http://127.0.0.1:{port}{PATH}", content=body, headers=headers)
    return answer.status_code == 202


async def test_two_doors_and_two_workers_lose_and_double_nothing(tmp_path: Path, postgresql: str) -> None:
    chance = random.Random(7)
    klaviyo = Child([sys.executable, "-m", "app.klaviyo.sandbox", "--port", str(port := free_port())], port)
    base = f"http://127.0.0.1:{port}"
    with postgres.copy_of(postgresql) as url:
        seed(url, connection=CONNECTION, settings=SETTINGS, secrets={"endpoint_secret": SECRET})
        doors = [gateway(_folder(tmp_path, n), klaviyo_url=base, work=False, url=url) for n in range(2)]
        workers = [worker(tmp_path, base, url) for _ in range(2)]
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                await client.post(f"{base}/sandbox/clock", json={"scale": 60})
                acknowledged = []
                for n in range(ORDERS):
                    if await post(client, doors[n % 2].port, n):
                        acknowledged.append(n)
                    if n % (ORDERS // KILLS) == ORDERS // KILLS - 1:
                        victim = chance.randrange(len(workers))
                        workers[victim].kill()
                        postgres.run(url, EXPIRE)
                        workers[victim] = worker(tmp_path, base, url)
                database, until = open_database(url), time.monotonic() + 90
                await database.sync()
                while await _waiting(url) and time.monotonic() < until:
                    await asyncio.sleep(0.5)
                counts = await database.read(webhooks.counts)
                await database.close()
                answer = (await client.get(f"{base}/sandbox/ledger?kind=events&fields=ids")).json()
        finally:
            for process in (*doors, *workers, klaviyo):
                process.kill()
    entries = answer["items"]
    placed = [entry["unique_id"] for entry in entries if entry["metric"] == "Placed Order"]
    repeats = sum(entry["repeats"] for entry in entries)
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(placed)} placed, repeated sends {repeats}")
    assert len(acknowledged) == ORDERS
    assert sorted(placed) == sorted(str(10_000_000 + n) for n in acknowledged)
    assert counts == {"received": ORDERS, "mapped": ORDERS, "waiting": 0}


def _folder(parent: Path, n: int) -> Path:
    """Each node has a folder, and a spool, of its own."""
    made = parent / f"node-{n}"
    made.mkdir()
    return made


async def _waiting(url: str) -> int:
    found = await asyncio.to_thread(
        postgres.value,
        url,
        "SELECT (SELECT count(*) FROM untranslated) + (SELECT count(*) FROM pending) + (SELECT count(*) FROM batches)",
    )
    return int(str(found))
