"""The platforms' webhook doors, for the description of the API only.

In production no request reaches this router with POST: the front door (app/intake.py) stands before FastAPI and
answers every path declared here itself.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from app.errors import Busy, Malformed, NotFound, TooLarge, Unauthorized, Unsupported
from app.mappers.registry import PLATFORMS
from app.mappers.source import Door, Source
from app.routers.gate import refusals

ROUTER = APIRouter()

CONNECTION = {
    "name": "connection", "in": "path", "required": True, "description": "The connection's id.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}  # fmt: skip


async def nowhere() -> Response:
    """Never reached, see above."""
    raise NotFound("no such connection")


def _declare(source: Source[Any], door: Door) -> None:
    kind = "text/plain" if door.receipt is None else "application/json"
    taken = {"description": "Stored durably; what cannot be used is kept too, for an operator.", "content": {kind: {}}}
    ROUTER.add_api_route(
        door.path,
        nowhere,
        methods=["POST"],
        tags=[f"Webhooks of {source.title}"],
        name=f"{source.name}_{door.name}",
        summary=door.summary,
        description=(
            f"Open while the connection is enabled and one of these is set: {', '.join(door.secrets)}."
            f"\n\n{door.signing}".rstrip()
        ),
        status_code=door.status,
        response_class=PlainTextResponse,
        responses={
            door.status: taken,
            **refusals(Malformed, Unauthorized, NotFound, TooLarge, Unsupported, Busy),
        },
        openapi_extra={
            "parameters": [CONNECTION],
            "requestBody": {"required": True, "content": {door.content_type: _content(door)}},
        },
    )


def _content(door: Door) -> dict[str, Any]:
    examples = {example.title: {"summary": example.title, "value": example.body} for example in door.examples}
    return {"schema": dict(door.schema), "examples": examples}


for _source in PLATFORMS:
    for _door in _source.doors:
        _declare(_source, _door)
