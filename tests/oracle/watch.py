"""A Klaviyo that is looked over the shoulder: every body it is sent goes to the oracle first, then on as it was."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.oracle.contract import note

EMPTY = b"{}"  # how a key's scopes are tried: too empty to do anything, and meant to be refused


class Watched:
    """Wraps an ASGI application, usually the sandbox; a fault fails the test that is running."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()

        async def reading() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            complete = message["type"] == "http.request" and not message.get("more_body")
            if complete and scope["path"].startswith("/api/") and body not in (b"", EMPTY):
                note(scope["path"], scope["method"], bytes(body))
            return message

        await self._app(scope, reading, send)
