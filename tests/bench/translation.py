"""Bare translation: the body of a webhook as it is stored, to the bytes of the commands as they are stored."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from app.connections import Connected
from app.judge import Judged, judge
from app.mappers.registry import platform
from tests.bench.orders import body

ORDERS = 2000
PHONES = 200


def connected(**settings: object) -> Connected:
    """A Centra connection that lives in memory only."""
    source = platform("centra")
    assert source is not None
    raw = {"base_currency": "SEK", "base_url": "https://bench.example.com", "rates": {"EUR": "11.4"}, **settings}
    return Connected("bench", source, "main", True, {}, raw, {})


def translate(to: Connected, bodies: Sequence[bytes]) -> int:
    """Translate all; says how many commands that made."""
    door = next(door for door in to.source.doors if door.name == "events")
    made = 0
    for raw in bodies:
        (result,) = judge(to, door, raw, {})
        assert isinstance(result, Judged)
        made += len(result.commands)
    return made


def per_order(rounds: int) -> dict[str, float]:
    """Microseconds of CPU an order, median of ``rounds`` interleaved rounds."""
    plain = connected(metrics={"product_ordered": {"on": False}})
    both = connected()
    first = iter(range(0, 10**9, ORDERS))
    runs: dict[str, Callable[[], tuple[Connected, list[bytes]]]] = {
        "Placed Order, every phone number new": lambda: (plain, [body(n) for n in _from(next(first))]),
        f"Placed Order, {PHONES} phone numbers": lambda: (plain, [_same_phone(n) for n in _from(next(first))]),
        "Placed Order and Ordered Product": lambda: (both, [_same_phone(n) for n in _from(next(first))]),
    }
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, prepare in runs.items():
            to, bodies = prepare()
            started = time.process_time()
            translate(to, bodies)
            took[name].append((time.process_time() - started) / ORDERS * 1e6)
    return {name: statistics.median(values) for name, values in took.items()}


def _from(first: int) -> range:
    return range(first, first + ORDERS)


def _same_phone(n: int) -> bytes:
    return body(n).replace(b"+4670%07d" % (n % 10_000_000), b"+4670%07d" % (n % PHONES))
