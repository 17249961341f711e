"""The sandbox's own hold on a connection: what it takes to cut one for real, under uvicorn."""

from __future__ import annotations

import asyncio
import socket
import struct

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "klaviyo_sandbox"


class Wire:
    """One client's connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def reset(self) -> None:
        """Send RST: the client sees its connection reset, and loses what it has not read yet."""
        # A linger time of zero is what turns a close into a reset.
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()

    def write(self, raw: bytes) -> None:
        """Send bytes past the server, which knows nothing of them; close afterwards."""
        self._transport.write(raw)

    def gone(self) -> bool:
        """Tell whether the client has left."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Send what was written, then close: the client sees an answer that ends too early."""
        self._transport.close()


class WiredProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which hands the connection to the application in the ASGI scope."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"wire": Wire(self.transport)}}
