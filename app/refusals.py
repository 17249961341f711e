"""What the doors turned away since this process started: a sender sees one and the same 401, an operator the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app.telemetry import log

LOG_SECONDS = 60.0


class Refusal(NamedTuple):
    """How often a door turned something away, and the last time and reason. ``at`` in epoch seconds."""

    times: int
    at: float
    reason: str


class Refusals:
    """By connection and door; only connections that exist are kept, so what strangers post takes no room."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Refusal] = {}
        self._logged: dict[tuple[str, str], float] = {}

    def note(self, connection: str, door: str, reason: str, now: float) -> None:
        """Count one, and log it unless that was done in the last minute."""
        place = (connection, door)
        before = self._known.get(place)
        self._known[place] = Refusal(before.times + 1 if before else 1, now, reason)
        if now - self._logged.get(place, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged[place] = now
            count = self._known[place].times
            log.warning("webhook_refused", connection=connection, door=door, reason=reason, count=count)

    def of(self, connection: str) -> Mapping[str, Refusal]:
        """By door."""
        return {door: refusal for (owner, door), refusal in self._known.items() if owner == connection}
