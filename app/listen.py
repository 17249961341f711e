"""How the gateway listens: uvicorn on a socket of its own, so that a taken port is a message and not a trace."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from app.errors import GatewayError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 to say where this very machine finds it


class PortTaken(GatewayError):
    """The gateway cannot listen there."""

    code = "port_taken"


def listen(app: ASGIApp, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until asked to end; ``announce`` gets the URL once calls are taken. Raises ``PortTaken``.

    Uvicorn as measured: uvloop, httptools, no access log (it halves the throughput).
    """
    sockets = _open(host, port)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, server_header=False, proxy_headers=False,
        log_level="warning", timeout_graceful_shutdown=4,
    )  # fmt: skip
    server = _Server(config, lambda: announce(_url(host, sockets[0])))
    with suppress(KeyboardInterrupt):  # uvicorn has ended in order, and raises it once more
        server.run(sockets=sockets)


def _open(host: str, port: int) -> list[socket.socket]:
    """Bound, not yet listening: nobody is to wait for an answer while the gateway starts."""
    opened = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            one = socket.socket(family, kind, protocol)
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # 0.0.0.0 may be somebody else's
            one.bind(address)
    except OSError as error:
        raise PortTaken(f"the gateway cannot listen on {host}, port {port}: {error.strerror}") from error
    return opened


def _url(host: str, opened: socket.socket) -> str:
    name = EVERYWHERE.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{opened.getsockname()[1]}"


class _Server(uvicorn.Server):
    """Says when it takes calls."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
