"""The way of one call through the sandbox: read it, let a fault at it, answer it, write it down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256

from starlette.types import Receive, Scope, Send

from app.klaviyo.sandbox.answers import Answer
from app.klaviyo.sandbox.call import CallRecord
from app.klaviyo.sandbox.faults import Action, replacement
from app.klaviyo.sandbox.fields import REQUEST_BYTES
from app.klaviyo.sandbox.gate import Incoming, answer, key_of
from app.klaviyo.sandbox.wire import EXTENSION, Wire
from app.klaviyo.sandbox.world import World

_SHOWN_HEADERS = (
    *("accept", "content-encoding", "content-length", "content-type", "revision", "user-agent"),
    "x-klaviyo-revision-fall-forward-opt-out",
)
_NOTHING = Answer(503)


class Door:
    """The ASGI application behind `/api`; a plain one, because every framework layer costs more than the call."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        now = self._world.clock()
        read = await _read(receive)
        if read is None:
            return
        incoming = Incoming(
            method=scope["method"],
            path=scope["path"].rstrip("/"),
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=read[0],
        )
        action, given = self._settle(incoming, now, read[1])
        if action and action.delay_ms:
            await asyncio.sleep(action.delay_ms / 1000)
        if action and (action.reset or action.truncate or action.dribble_ms is not None):
            if EXTENSION not in scope.get("extensions", {}):
                raise RuntimeError("This fault needs the sandbox's own server: app.klaviyo.sandbox.server")
            await _misbehave(scope["extensions"][EXTENSION]["wire"], action, given)
            # The server finds the connection gone only after this: an application that ends before is an error to it.
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await _send(send, given)

    def _settle(self, incoming: Incoming, now: float, digest: str) -> tuple[Action | None, Answer]:
        """Write the call down and apply it, unless a fault prevents that; all in one go, so that calls never mix."""
        key = key_of(self._world, incoming.headers)
        account = key.account if key else None
        action = self._world.faults.action_for(incoming.method, incoming.path, account)
        instead = replacement(action) if action else None
        given, items = instead or _NOTHING, 0
        if not action or (action.reset != "before" and (instead is None or action.applied)):
            own, items = answer(self._world, incoming, now)
            given = instead or own
        if action and not instead:
            given = replace(given, headers={**given.headers, **action.headers})
        record = CallRecord(
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            account=account,
            status=None if action and action.reset else given.status,
            items=items,
            received_at=now,
            fault=action is not None,
            digest=digest,
            headers={name: incoming.headers[name] for name in _SHOWN_HEADERS if name in incoming.headers},
        )
        self._world.calls.add(record)
        return action, given


async def _read(receive: Receive) -> tuple[bytes | None, str] | None:
    """Read a body and its digest; the body is None beyond Klaviyo's size, all is None when the client went away."""
    digest, parts, size = sha256(), bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        digest.update(part)
        size += len(part)
        if size <= REQUEST_BYTES:
            parts += part
        if not message.get("more_body"):
            return (bytes(parts) if size <= REQUEST_BYTES else None), digest.hexdigest()


async def _send(send: Send, given: Answer) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.headers.items()]
    if given.status != 204:
        headers.append((b"Content-Length", str(len(given.body)).encode()))
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})


async def _misbehave(wire: Wire, action: Action, given: Answer) -> None:
    if action.reset:
        wire.reset()
        return
    lines = {**given.headers, "Content-Length": str(len(given.body)), "Connection": "close"}
    head = f"HTTP/1.1 {given.status} Scripted\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    answered = f"{head}\r\n".encode("latin-1") + given.body
    if action.truncate:
        # An empty body cannot be halved: then the last byte of the head is missing.
        answered = answered[: -max(1, len(given.body) // 2)]
    if action.dribble_ms is None:
        wire.write(answered)
    else:
        for byte in answered:
            if wire.gone():
                break
            wire.write(bytes((byte,)))
            await asyncio.sleep(action.dribble_ms / 1000)
    wire.close()
