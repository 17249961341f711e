"""A closed-loop load generator: requests are built before the clock starts, then only bytes move.

    python -m tests.bench.load --port 8080 --connections 64 --seconds 3

Prints one JSON object: answers a second, latencies, statuses, and how busy the generator itself was (above 0.85 it is
the generator that was measured).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import cast

import uvloop

from tests.bench.orders import request


class Caller(asyncio.Protocol):
    """One keep-alive connection that sends the next request as soon as an answer is complete."""

    def __init__(self, requests: Iterator[bytes], stop_at: list[float], seen: list[tuple[float, float, int]]) -> None:
        self._requests, self._stop_at, self._seen = requests, stop_at, seen
        self._buffer = b""
        self._started = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def send(self) -> None:
        self._started = time.perf_counter()
        following = next(self._requests, None) if self._started < self._stop_at[0] else None
        if following is None:
            self._transport.close()
        else:
            self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, split, rest = self._buffer.partition(b"\r\n\r\n")
        if not split:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        if len(rest) < int(length or 0):
            return
        now = time.perf_counter()
        self._seen.append((now, now - self._started, int(head[9:12])))
        self._buffer = b""
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def run(port: int, connections: int, seconds: float, warmup: float, requests: list[bytes]) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    seen: list[tuple[float, float, int]] = []
    stop_at, queue = [0.0], iter(requests)
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(lambda: Caller(queue, stop_at, seen), "127.0.0.1", port)
        callers.append(caller)
    began, cpu = time.perf_counter(), time.process_time()
    stop_at[0] = began + warmup + seconds
    for caller in callers:
        caller.send()
    await asyncio.gather(*(caller.done for caller in callers))
    wall, busy = time.perf_counter() - began, time.process_time() - cpu
    counted = sorted(took for at, took, _ in seen if began + warmup <= at <= stop_at[0])
    return {
        "per_second": round(len(counted) / seconds, 1),
        "p50_ms": round(1e3 * counted[len(counted) // 2], 2),
        "p99_ms": round(1e3 * counted[int(len(counted) * 0.99)], 2),
        "answers": len(seen),
        "statuses": dict(Counter(status for _, _, status in seen)),
        "generator_busy": round(busy / wall, 2),
        "exhausted": len(seen) >= len(requests),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--warmup", type=float, default=0.5)
    parser.add_argument("--most", type=int, default=60_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    requests = [request(options.first + n) for n in range(options.most)]
    gc.collect()
    gc.freeze()
    gc.disable()
    result = uvloop.run(run(options.port, options.connections, options.seconds, options.warmup, requests))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
