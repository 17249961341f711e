"""The platforms we speak. A new one is a folder and a line here."""

from __future__ import annotations

from typing import Any

from app.mappers.centra.source import SOURCE as CENTRA
from app.mappers.source import Source

PLATFORMS: tuple[Source[Any], ...] = (CENTRA,)


def platform(name: str) -> Source[Any] | None:
    """The platform of this name, or None."""
    return next((source for source in PLATFORMS if source.name == name), None)
