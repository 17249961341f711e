"""How our own API says no: application/problem+json (RFC 9457), ASCII, with pointers and never the rejected value."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from app.errors import (
    Busy,
    Conflict,
    Fault,
    Forbidden,
    GatewayError,
    Invalid,
    Malformed,
    NotFound,
    Refused,
    TooLarge,
    Unauthorized,
    Unsupported,
)
from app.telemetry import log

MEDIA_TYPE = "application/problem+json"
FAULTS_SHOWN = 100


class WrongMethod(Refused):
    """This path knows other methods; ``Allow`` names them."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


# Every refusal that the API's description names; the description writes each of them down once.
REFUSALS: Mapping[int, type[Refused | Busy]] = {
    error.status: error
    for error in (Malformed, Unauthorized, Forbidden, NotFound, Conflict, TooLarge, Unsupported, Invalid, Busy)
}


def problem(error: GatewayError) -> bytes:
    """The body for ``error``; the one of ``Unauthorized`` is always the same."""
    title = error.title if isinstance(error, Refused) else "Try again later" if isinstance(error, Busy) else "Error"
    body: dict[str, object] = {"type": f"urn:klaviyo-gateway:{error.code}", "title": title, "status": error.status}
    if isinstance(error, Invalid):
        body["errors"] = [_where(fault) | {"detail": fault.detail} for fault in error.faults[:FAULTS_SHOWN]]
    elif isinstance(error, (Refused, Busy)) and not isinstance(error, Unauthorized):
        body["detail"] = str(error)
    return json.dumps(body).encode()


def response(error: GatewayError) -> Response:
    """The whole answer for ``error``."""
    headers = {"cache-control": "no-store"}
    if isinstance(error, Busy):
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    return Response(problem(error), error.status, headers, MEDIA_TYPE)


def _where(fault: Fault) -> dict[str, str]:
    """A JSON pointer is empty or begins with a slash; anything else names a parameter of the path or the query."""
    return {"pointer" if fault.pointer[:1] in ("", "/") else "parameter": fault.pointer}


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)  # noqa: S101 by HANDLERS
    return response(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """FastAPI's own findings, without the values that it found."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 by HANDLERS
    faults = []
    for found in error.errors():
        place, *path = found["loc"]
        if place == "body":
            pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
        else:
            pointer = str(path[0]) if path else str(place)
        faults.append(Fault(pointer, found["msg"].removeprefix("Value error, ")))
    return response(Invalid(faults))


async def _http(request: Request, error: Exception) -> Response:
    """What the router itself says: no such path, or not with this method."""
    assert isinstance(error, HTTPException)  # noqa: S101 by HANDLERS
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = _methods(request)
        refusal = response(WrongMethod(f"this path knows {', '.join(allowed)}"))
        refusal.headers["allow"] = ", ".join(allowed)
        return refusal
    kind = REFUSALS.get(error.status_code, Malformed)
    return response(NotFound("there is nothing at this path") if kind is NotFound else kind(error.detail))


def _methods(request: Request) -> list[str]:
    """All methods of this path; the router alone would name those of its first route only."""
    known: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and re.match(route.path_regex, request.scope["path"]):
            known |= route.methods
    return sorted(known)


async def _away(_: Request, error: Exception) -> Response:
    log.error("store_failed", problem=type(error).__name__)
    return response(Busy("the store cannot answer now"))


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours; the server logs its trace, the caller learns nothing of it."""
    log.error("request_failed", method=request.method, problem=type(error).__name__)
    return response(GatewayError())


HANDLERS: Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Refused: _refused,
    Busy: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
    DBAPIError: _away,
    Exception: _failed,
}
