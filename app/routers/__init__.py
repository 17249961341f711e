"""One file per door of our own API: their routers in the order of the docs, and how FastAPI is told about them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi.routing import APIRoute

from app.routers import (
    accounts,
    commands,
    connections,
    docs,
    doors,
    health,
    keys,
    lanes,
    preview,
    scopes,
    stats,
    webhooks,
)
from app.routers.problems import HANDLERS
from app.settings import Settings

ROUTERS = (
    doors.ROUTER,
    connections.ROUTER,
    scopes.ROUTER,
    accounts.ROUTER,
    preview.ROUTER,
    webhooks.ROUTER,
    commands.ROUTER,
    lanes.ROUTER,
    stats.ROUTER,
    keys.ROUTER,
    health.ROUTER,
    docs.ROUTER,
)

DESCRIPTION = (
    "Takes webhooks of commerce platforms, answers once they are on disk, translates them and delivers them to "
    "Klaviyo, exactly once in effect. Errors are `application/problem+json` with pointers to every field at fault."
)


def describe(settings: Settings) -> dict[str, Any]:
    """FastAPI's arguments. Its own docs are off: they load their page from another host."""
    return {
        "title": "Klaviyo gateway",
        "description": DESCRIPTION,
        "version": version("klaviyo-gateway"),
        "servers": [{"url": settings.public_url}] if settings.public_url else [],
        "openapi_url": None,
        "redirect_slashes": False,
        "generate_unique_id_function": _operation_id,
        "exception_handlers": dict(HANDLERS),
    }


def _operation_id(route: APIRoute) -> str:
    """What generated clients call the operation."""
    return route.name
