"""The hot path: verify the raw bytes, store the webhook, answer. Nothing is answered before it is on disk.

``FrontDoor`` is one small ASGI application before FastAPI's router (measured: 2.5 times the throughput of a FastAPI
route); what is not a door goes on to FastAPI. ``GroupCommit`` lets all requests that wait share one insert and one
fsync: whoever arrives while a commit runs travels with the next one, so there is no timer and no added latency.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.connections import Connected
from app.drain import Drain
from app.errors import Busy, Malformed, NotFound, Refused, TooLarge, Unsupported
from app.mappers.source import Door, Source
from app.refusals import Refusals
from app.routers.problems import problem
from app.store import webhooks
from app.store.engine import Database
from app.store.ids import new_id
from app.store.webhooks import Arrived, Kept
from app.telemetry import log

GROUP_ROWS = 500
GROUP_BYTES = 4 * 1024 * 1024
WAITING_ROWS = 5_000
WAITING_BYTES = 64 * 1024 * 1024
ACK_SECONDS = 3.0  # Centra gives up after 5
STORE_SECONDS = 1.0  # then the spool, where there is one
AWAY_SECONDS = 1.0
INFLATED_BYTES = 10 * 1024 * 1024
INFLATE_RATIO = 100
RETRY_AFTER = 5


class GroupCommit:
    """Stores webhooks in groups; ``add`` returns once the webhook is durable."""

    def __init__(self, database: Database, stored: Callable[[], None], drain: Drain | None = None) -> None:
        self._database, self._stored, self._drain = database, stored, drain
        self._away_until = 0.0
        self._waiting: list[tuple[Arrived, asyncio.Future[Kept]]] = []
        self._bytes = 0
        self._armed = self._busy = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, webhook: Arrived) -> Kept:
        """Raises ``Busy`` when too much waits already, or the store fails or takes too long."""
        if len(self._waiting) >= WAITING_ROWS or self._bytes >= WAITING_BYTES:
            raise Busy("too many webhooks wait for the store", RETRY_AFTER)
        future: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._waiting.append((webhook, future))
        self._bytes += len(webhook.body)
        if not self._armed and not self._busy:
            self._arm()
        return await future

    def _arm(self) -> None:
        self._armed = True
        asyncio.get_running_loop().call_soon(self._send_off)

    def _send_off(self) -> None:
        self._armed = False
        self._busy = True
        task = asyncio.create_task(self._commit(self._take()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[tuple[Arrived, asyncio.Future[Kept]]]:
        size = rows = 0
        for webhook, _ in self._waiting[:GROUP_ROWS]:
            if rows and size + len(webhook.body) > GROUP_BYTES:
                break
            size += len(webhook.body)
            rows += 1
        group, self._waiting = self._waiting[:rows], self._waiting[rows:]
        self._bytes -= size
        return group

    async def _commit(self, group: list[tuple[Arrived, asyncio.Future[Kept]]]) -> None:
        late = asyncio.get_running_loop().call_later(
            ACK_SECONDS, self._answer, group, Busy("the store takes too long", RETRY_AFTER)
        )
        rows = [webhook for webhook, _ in group]
        result: list[Kept] | Busy
        try:
            result = await (self._store(rows) if self._drain is None else self._store_or_spool(rows, self._drain))
        except Exception as error:  # every waiter must learn of it, whatever it is
            log.error("store_failed", problem=type(error).__name__, detail=str(error)[:300], webhooks=len(group))
            result = Busy("the store cannot take it now", RETRY_AFTER)
        late.cancel()
        self._busy = False
        self._answer(group, result)
        if not isinstance(result, Busy):
            self._stored()
        if self._waiting and not self._armed:
            self._arm()

    async def _store(self, rows: list[Arrived]) -> list[Kept]:
        return await self._database.write(webhooks.store, rows)

    async def _store_or_spool(self, rows: list[Arrived], drain: Drain) -> list[Kept]:
        """The database, tried once a second while it is away; else this node's spool."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._away_until:
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    return await self._store(rows)
            except Exception as error:  # whatever it is: the spool keeps them
                log.error("spooling", problem=type(error).__name__, webhooks=len(rows))
                self._away_until = loop.time() + AWAY_SECONDS
        await drain.spool.add(rows)
        drain.wake.set()
        return [Kept(row.id, True) for row in rows]

    @staticmethod
    def _answer(group: list[tuple[Arrived, asyncio.Future[Kept]]], result: list[Kept] | Busy) -> None:
        for position, (_, future) in enumerate(group):
            if future.done():
                continue
            if isinstance(result, Busy):
                future.set_exception(result)
            else:
                future.set_result(result[position])


@dataclass(frozen=True, slots=True)
class Reply:
    """A ready ASGI answer."""

    start: Message
    end: Message

    @classmethod
    def of(cls, status: int, body: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> Reply:
        """Build one from its parts."""
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *more]
        return cls(
            {"type": "http.response.start", "status": status, "headers": headers},
            {"type": "http.response.body", "body": body},
        )


def refusal(error: Refused | Busy) -> Reply:
    """The problem+json answer to a refused webhook."""
    more = ((b"retry-after", b"%d" % error.retry_after),) if isinstance(error, Busy) else ()
    return Reply.of(error.status, problem(error), b"application/problem+json", *more)


class FrontDoor:
    """Answers the webhook doors of all platforms; everything else is ``app``'s."""

    def __init__(
        self,
        app: ASGIApp,
        platforms: Iterable[Source[Any]],
        connections: Mapping[str, Connected],
        commit: GroupCommit,
        refusals: Refusals,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app, self._connections, self._commit, self._clock = app, connections, commit, clock
        self._refusals = refusals
        self._doors: dict[str, dict[str, tuple[Source[Any], Door, Reply]]] = {}
        for source in platforms:
            for door in source.doors:
                before, _, after = door.path.partition("{connection}")
                answer = Reply.of(door.status, door.body, b"text/plain; charset=utf-8")
                self._doors.setdefault(before, {})[after] = (source, door, answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            path: str = scope["path"]
            cut = path.find("/", path.find("/", 1) + 1) + 1  # "/webhooks/centra/" of "/webhooks/centra/shop-1/events"
            doors = self._doors.get(path[:cut])
            if doors is not None:
                name, slash, rest = path[cut:].partition("/")
                found = doors.get(slash + rest)
                if found is not None:
                    await self._enter(found, name, scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _enter(
        self, found: tuple[Source[Any], Door, Reply], name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        source, door, answer = found
        try:
            kept, body = await self._take(source, door, name, scope, receive)
            if door.receipt is not None:
                answer = Reply.of(door.status, door.receipt(body, *kept), b"application/json")
        except (Refused, Busy) as error:
            answer = refusal(error)
            if name in self._connections and not isinstance(error, NotFound):
                self._refusals.note(name, door.name, str(error), self._clock())
        await send(answer.start)
        await send(answer.end)

    async def _take(
        self, source: Source[Any], door: Door, name: str, scope: Scope, receive: Receive
    ) -> tuple[Kept, bytes]:
        """Store what was posted; gives its body back."""
        connection = self._connections.get(name)
        if connection is None or connection.source is not source:
            raise NotFound("no such connection")
        if door.name not in connection.open_doors:
            self._refusals.note(name, door.name, "closed: disabled, or without a secret for this door", self._clock())
            raise NotFound("no such connection")
        headers = dict(scope["headers"])
        raw = await read(receive, headers, door.max_bytes)
        now = self._clock()
        door.verify(headers, raw, connection.secrets, connection.settings, now)
        body = inflated(raw, headers)
        kept = await self._commit.add(
            Arrived(connection.id, sha256(body).digest()[:16], door.name, "push", int(now * 1000), body, new_id())
        )
        return kept, body


async def read(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The body as sent, at most ``limit`` bytes, refused while it streams; raises ``TooLarge``, ``Malformed``."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"more than {limit} bytes")
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message["body"]
        if len(body) > limit:
            raise TooLarge(f"more than {limit} bytes")
        return body
    parts, size = [], 0
    while message["type"] == "http.request":
        parts.append(message["body"])
        size += len(message["body"])
        if size > limit:
            raise TooLarge(f"more than {limit} bytes")
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    raise Malformed("the body ended early")


def inflated(raw: bytes, headers: Mapping[bytes, bytes]) -> bytes:
    """The body without its Content-Encoding: identity or gzip; raises ``Unsupported``, ``TooLarge``, ``Malformed``."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding == b"identity":
        return raw
    if encoding != b"gzip":
        raise Unsupported("send it plain or as gzip")
    limit = min(INFLATED_BYTES, len(raw) * INFLATE_RATIO)
    engine = zlib.decompressobj(wbits=31)
    try:
        body = engine.decompress(raw, limit + 1)
    except zlib.error:
        raise Malformed("this is not gzip") from None
    if len(body) > limit:
        raise TooLarge(f"more than {limit} bytes once inflated")
    if not engine.eof:
        raise Malformed("the gzip stream ends early")
    return body
