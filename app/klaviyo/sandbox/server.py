"""How the sandbox is run: uvicorn on the loopback, with the protocol that lets it cut connections."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from app.klaviyo.sandbox.accounts import Key
from app.klaviyo.sandbox.app import create_sandbox
from app.klaviyo.sandbox.wire import WiredProtocol


def listen(host: str = "127.0.0.1", port: int = 0) -> tuple[socket.socket, str]:
    """Open a socket that already takes connections, and tell its URL; port 0 picks a free one."""
    # asyncio switches Nagle's algorithm off only where the protocol is named: 40 ms an answer otherwise.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((host, port))
    opened.listen(2048)
    return opened, f"http://{host}:{opened.getsockname()[1]}"


def server(app: ASGIApp) -> uvicorn.Server:
    """Build the server; run it with `run(sockets=[...])`, or await `serve(sockets=[...])`."""
    config = uvicorn.Config(
        app,
        http=WiredProtocol,
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def run(port: int, *, scale: float = 1.0, keys: Iterable[Key] = (), announce: Callable[[str], None]) -> None:
    """Run a sandbox as a process of its own until it is interrupted; `announce` gets the URL once it listens."""
    # The ledger only grows and holds no cycles: looking through it for garbage costs a third of the time.
    gc.set_threshold(100_000, 50, 100)
    opened, url = listen(port=port)
    announce(url)
    with suppress(KeyboardInterrupt):
        server(create_sandbox(scale=scale, keys=keys)).run(sockets=[opened])
