"""A server that speaks exactly the bytes a test wants, and counts who came."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Story = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Seen:
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/path?q=secret@example.com"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


@contextlib.asynccontextmanager
async def serving(story: Story, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Seen]:
    """Runs ``story`` for every connection on a free port of ``host``."""
    seen = Seen()
    tasks: set[asyncio.Task[None]] = set()

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await story(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(tell, host, 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def answering(raw: bytes, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Seen]:
    """Answers every request with ``raw`` and closes the connection."""

    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.requests.append(await read_request(reader))
        writer.write(raw)
        await writer.drain()
        writer.write_eof() if writer.can_write_eof() else writer.close()
        await reader.read()

    async with serving(story, tls=tls) as seen:
        yield seen
