"""``make bench``: ingest against a bare ASGI application and a naive gateway, and bare translation.

    python -m tests.bench [--rounds 5] [--seconds 3] [--only ingest|translate]

Servers run on core 0, the generator on core 1, in turn A B C A B C, so that a drifting machine moves all alike: read
the ratios. CPU a request is the server's, over all its threads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.orders import CONNECTION, SECRET
from tests.bench.translation import per_order
from tests.running import Child, gateway, seed, uvicorn

SERVER_CORE, LOAD_CORE = 0, 1
SETTINGS = {"base_currency": "SEK", "base_url": "https://bench.example.com", "rates": {"EUR": "11.4"}}
console = Console(width=110)


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def shoot(child: Child, first: int, seconds: float) -> dict[str, float]:
    """One round of load against a running server."""
    before = cpu_seconds(child.pid)
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(child.port), "--seconds", str(seconds)]
    command += ["--first", str(first), "--core", str(LOAD_CORE), "--most", str(int(40_000 * (seconds + 0.5)))]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    bad = {status: count for status, count in result["statuses"].items() if status != "202"}
    if bad or result["exhausted"]:
        raise SystemExit(f"not a valid round: {result}")
    return {
        "per_second": result["per_second"], "p50": result["p50_ms"], "p99": result["p99_ms"],
        "cpu": (cpu_seconds(child.pid) - before) / result["answers"] * 1e6, "generator": result["generator_busy"],
    }  # fmt: skip


def ingest(rounds: int, seconds: float, folder: Path) -> None:
    """Durable-ack ingest of the Placed Order at 64 connections."""
    data = folder / "gateway"
    data.mkdir()
    seed(
        f"sqlite:///{data / 'gateway.db'}",
        connection=CONNECTION,
        settings=SETTINGS,
        secrets={"endpoint_secret": SECRET},
    )
    start: dict[str, Callable[[], Child]] = {
        "bare ASGI (a)": lambda: uvicorn("tests.bench.reference:app", env={"BENCH_APP": "bare"}, core=SERVER_CORE),
        "naive gateway (b)": lambda: uvicorn(
            "tests.bench.reference:app",
            env={"BENCH_APP": "naive", "BENCH_DB": str(folder / "naive.db")},
            core=SERVER_CORE,
        ),
        "this gateway": lambda: gateway(data, klaviyo_url="http://127.0.0.1:9", work=False, core=SERVER_CORE),
    }
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in start}
    running: dict[str, Child] = {}
    try:
        for name, launch in start.items():
            running[name] = launch()
        for number in range(rounds):
            for position, (name, child) in enumerate(running.items()):
                measured[name].append(shoot(child, (number * len(running) + position) * 1_000_000, seconds))
    finally:
        for child in running.values():
            child.stop()
    show(measured)


def show(measured: dict[str, list[dict[str, float]]]) -> None:
    """Medians, and throughput as a ratio to (a) and (b) of the same round."""
    a, b = measured["bare ASGI (a)"], measured["naive gateway (b)"]
    table = Table("server", "req/s", "of (a)", "x (b)", "min-max of (a)", "cpu µs", "p50 ms", "p99 ms", "generator")
    for name, rows in measured.items():
        of_a = [row["per_second"] / base["per_second"] for row, base in zip(rows, a, strict=True)]
        of_b = [row["per_second"] / base["per_second"] for row, base in zip(rows, b, strict=True)]
        table.add_row(
            name, f"{middle(rows, 'per_second'):,.0f}", f"{statistics.median(of_a):.3f}",
            f"{statistics.median(of_b):.1f}", f"{min(of_a):.2f}-{max(of_a):.2f}", f"{middle(rows, 'cpu'):.0f}",
            f"{middle(rows, 'p50'):.1f}", f"{middle(rows, 'p99'):.1f}", f"{middle(rows, 'generator'):.2f}",
        )  # fmt: skip
    console.print(table)


def middle(rows: list[dict[str, float]], name: str) -> float:
    return statistics.median(row[name] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", choices=["ingest", "translate"])
    options = parser.parse_args()
    if options.only != "translate":
        console.print("durable-ack ingest, 2.4 kB Placed Order, 64 connections, one process on one core")
        with tempfile.TemporaryDirectory() as folder:
            ingest(options.rounds, options.seconds, Path(folder))
    if options.only != "ingest":
        console.print("bare translation, body bytes to command bytes, CPU time of one process")
        table = Table("what", "µs / order", "orders / CPU-second")
        for name, microseconds in per_order(options.rounds).items():
            table.add_row(name, f"{microseconds:.1f}", f"{1e6 / microseconds:,.0f}")
        console.print(table)


if __name__ == "__main__":
    main()
