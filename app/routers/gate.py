"""What a request to /api passes before its route sees it: a living key, its role, a body that is small, plain JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from http import HTTPMethod
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.params import Security
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.errors import (
    Busy,
    Fault,
    Forbidden,
    Invalid,
    Malformed,
    Refused,
    TooLarge,
    Unauthorized,
    Unsupported,
)
from app.routers.auth import authenticate, demand
from app.security import Role

BODY_BYTES = 256 * 1024
DEPTH = 64
KEYS = 10_000
ITEMS = 4_000
WHOLE_NUMBERS = range(-(2**63), 2**63)
WITH_BODY = {HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH}

Answering = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyedRoute(APIRoute):
    """A route behind a key of the role it names. All others learn nothing, not even that a body is malformed."""

    def _behind_a_key(self) -> Answering:
        inner = super().get_route_handler()
        needed = [name for each in self.dependencies if isinstance(each, Security) for name in each.scopes or ()]
        (role,) = (Role[name.upper()] for name in needed)

        async def keyed(request: Request) -> Response:
            request.state.operator = await authenticate(request)
            demand(request, role)
            _check_query(request)
            if request.method in WITH_BODY:
                request = Request(request.scope, _replay(await _read(request)))
            response = await inner(request)
            response.headers["cache-control"] = "no-store"
            return response

        return keyed

    get_route_handler = _behind_a_key  # FastAPI's word for how a route answers


def refusals(*errors: type[Refused | Busy]) -> dict[int | str, dict[str, Any]]:
    """Responses for a route's description, by reference."""
    return {error.status: {"$ref": f"#/components/responses/{error.__name__}"} for error in errors}


def keyed_router(path: str, title: str) -> APIRouter:
    """A router of /api."""
    always = refusals(Malformed, Unauthorized, Forbidden, TooLarge, Unsupported, Invalid, Busy)
    return APIRouter(prefix=f"/api{path}", tags=[title], route_class=KeyedRoute, responses=always)


def _check_query(request: Request) -> None:
    """A parameter given twice: one of the two would be ignored without a word."""
    names = [name for name, _ in request.query_params.multi_items()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid([Fault(name, "given more than once") for name in twice])


async def _read(request: Request) -> bytes:
    """The body; raises ``Unsupported``, ``TooLarge``, ``Malformed``, ``Invalid``."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported("send the body as it is, without a Content-Encoding")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                raise TooLarge(f"more than {BODY_BYTES} bytes")
    except ClientDisconnect:
        raise Malformed("the body ended early") from None
    if body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Unsupported("send JSON, as Content-Type: application/json")
        check(bytes(body))
    return bytes(body)


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def check(body: bytes) -> None:
    """Refuse JSON that hurts later (facts: reliability 3.3, 1-8); raises ``Malformed``, ``Invalid``."""
    try:
        orjson.loads(body)  # strict: no NaN, no lone surrogates, UTF-8 only
        value = json.loads(body, object_pairs_hook=_unique)  # exact: keeps repeated keys and long numbers apart
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Invalid([Fault("", f"nested deeper than {DEPTH}")]) from None
    faults = list(_faults(value))
    if faults:
        raise Invalid(faults)


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("an object names a key twice")
    return value


def _faults(value: object) -> Iterator[Fault]:
    keys = 0
    waiting = [(value, "", 1)]
    while waiting:
        item, pointer, depth = waiting.pop()
        if isinstance(item, int) and item not in WHOLE_NUMBERS:
            yield Fault(pointer, "a whole number of more than 64 bits")
        if not isinstance(item, (dict, list)):
            continue
        inside = list(item.items() if isinstance(item, dict) else enumerate(item))
        keys += len(inside) if isinstance(item, dict) else 0
        if depth > DEPTH or keys > KEYS or (isinstance(item, list) and len(item) > ITEMS):
            yield Fault(pointer, f"more than {DEPTH} levels, {KEYS} keys or {ITEMS} items")
            return
        for key, under in inside:
            waiting.append((under, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}", depth + 1))
