"""How fast a lane may send: Klaviyo's two fixed windows per account and endpoint, kept in the lane's row.

Pure: a ``Pace`` is a value, time (epoch seconds) is handed in. What the server says wins over what we counted:
``RateLimit-Remaining`` and ``RateLimit-Reset`` describe the steady window, ``Retry-After`` closes both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

BURST_SECONDS = 1.0
STEADY_SECONDS = 60.0
SHARE = 0.9  # of the quota; Klaviyo: private keys of one account share one, also with the merchant's other tools


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls a second and calls a minute (Klaviyo's documented windows)."""

    burst: int
    steady: int


LIMITS: Mapping[str, Limit] = {
    "/api/events": Limit(350, 3500),
    "/api/event-bulk-create-jobs": Limit(10, 150),
    "/api/profile-import": Limit(75, 700),
    "/api/profile-bulk-import-jobs": Limit(10, 150),
    "/api/profile-subscription-bulk-create-jobs": Limit(75, 700),
    "/api/profile-subscription-bulk-delete-jobs": Limit(75, 700),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """What was sent to one path in the present windows. Times are epoch seconds."""

    burst_start: float = 0.0
    burst_used: int = 0
    steady_start: float = 0.0
    steady_used: int = 0

    def wait(self, limit: Limit, now: float, share: float = SHARE) -> float:
        """Seconds until one more call is allowed, 0 when it is now; ``share`` of the limit is ours."""
        pace = self._rolled(now)
        waits = [0.0]
        if pace.burst_used >= _allowed(limit.burst, share):
            waits.append(pace.burst_start + BURST_SECONDS - now)
        if pace.steady_used >= _allowed(limit.steady, share):
            waits.append(pace.steady_start + STEADY_SECONDS - now)
        return max(waits)

    def room(self, limit: Limit, now: float, share: float = SHARE) -> int:
        """How many calls are allowed right now."""
        pace = self._rolled(now)
        burst, steady = _allowed(limit.burst, share), _allowed(limit.steady, share)
        return max(0, min(burst - pace.burst_used, steady - pace.steady_used))

    def sent(self, calls: int, now: float) -> Pace:
        """The pace after ``calls`` more."""
        pace = self._rolled(now)
        return replace(pace, burst_used=pace.burst_used + calls, steady_used=pace.steady_used + calls)

    def told(self, headers: Mapping[str, str], limit: Limit, now: float) -> Pace:
        """The pace corrected by what Klaviyo counted (others use the same account)."""
        remaining, reset = _whole(headers.get("ratelimit-remaining")), _whole(headers.get("ratelimit-reset"))
        if remaining is None or reset is None:
            return self
        used = max(0, limit.steady - remaining)
        if used <= self.steady_used:
            return self
        return replace(self, steady_used=used, steady_start=now + reset - STEADY_SECONDS)

    def _rolled(self, now: float) -> Pace:
        pace = self
        if not 0 <= now - pace.burst_start < BURST_SECONDS:
            pace = replace(pace, burst_start=now, burst_used=0)
        if not 0 <= now - pace.steady_start < STEADY_SECONDS:
            pace = replace(pace, steady_start=now, steady_used=0)
        return pace


def paces(stored: str) -> dict[str, Pace]:
    """A lane's paces by path, from its row."""
    return {path: Pace(**fields) for path, fields in json.loads(stored).items()}


def stored(by_path: Mapping[str, Pace]) -> str:
    """As ``paces`` reads it."""
    return json.dumps({path: asdict(pace) for path, pace in by_path.items()})


def _allowed(limit: int, share: float) -> int:
    return max(1, int(limit * share))


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
