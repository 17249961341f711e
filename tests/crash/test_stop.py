"""Asked to end in the middle of a slow call, the gateway ends soon, and the next one goes on where it stopped."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

import httpx

from tests.bench.orders import CONNECTION, SECRET
from tests.nodes.test_nodes import post
from tests.running import Child, free_port, gateway, seed

ORDERS = 40
SETTINGS = {"base_currency": "SEK", "rates": {"EUR": "11.4"}}


async def test_a_stop_is_soon_and_loses_nothing(tmp_path: Path) -> None:
    klaviyo = Child([sys.executable, "-m", "app.klaviyo.sandbox", "--port", str(port := free_port())], port)
    base, data = f"http://127.0.0.1:{port}", tmp_path / "gateway.db"
    seed(f"sqlite:///{data}", connection=CONNECTION, settings=SETTINGS, secrets={"endpoint_secret": SECRET})
    served = gateway(tmp_path, klaviyo_url=base)
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            slow = {"match": {"method": "POST"}, "times": None, "action": {"delay_ms": 25_000}}
            await client.post(f"{base}/sandbox/faults", json=[slow])
            for n in range(ORDERS):
                assert await post(client, served.port, n)
            while not (await client.get(f"{base}/sandbox/calls")).json()["total"]:
                await asyncio.sleep(0.05)
            started = time.monotonic()
            assert await asyncio.to_thread(served.stop) == -signal.SIGTERM  # uvicorn ends by the signal it was asked by
            assert time.monotonic() - started < 10
            await client.delete(f"{base}/sandbox/faults")
            served = gateway(tmp_path, klaviyo_url=base)
            entries: list[dict[str, str]] = []
            until = time.monotonic() + 30
            while len(entries) < 2 * ORDERS and time.monotonic() < until:
                await asyncio.sleep(0.2)
                entries = (await client.get(f"{base}/sandbox/ledger?kind=events&fields=ids")).json()["items"]
    finally:
        served.kill()
        klaviyo.kill()
    placed = [entry["unique_id"] for entry in entries if entry["metric"] == "Placed Order"]
    assert sorted(placed) == sorted(str(10_000_000 + n) for n in range(ORDERS))
