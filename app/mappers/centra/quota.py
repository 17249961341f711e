"""What may still be asked of one Centra environment, counted as Centra counts: token buckets of 10 seconds and an hour.

All integrations of an environment share its buckets (Centra: Integration API rate limits), so ours is a guess between
two looks at Centra's; a 429 says that the guess was wrong.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from typing_extensions import TypedDict

LONGEST_WAIT = 3600.0

_SECONDS = {"TEN_SECONDS": 10.0, "ONE_HOUR": 3600.0}
_Kind = Literal["requests", "complexity"]
_KINDS: dict[str, _Kind] = {"REQUEST_COUNT": "requests", "QUERY_COMPLEXITY": "complexity"}


class RateLimit(TypedDict):
    """One bucket as Centra's ``rateLimits`` query tells it."""

    type: str
    intervalSeconds: str
    quota: int
    remainingQuota: int


@dataclass(slots=True)
class Bucket:
    """``quota`` points, refilled evenly over ``seconds``. Below zero it is spoken for in advance."""

    kind: _Kind
    quota: float
    seconds: float
    left: float
    at: float

    def refill(self, now: float) -> None:
        self.left = min(self.quota, self.left + max(0.0, now - self.at) * self.quota / self.seconds)
        self.at = now

    def wait(self, cost: float) -> float:
        # A question that costs more than a full bucket is asked of a full one.
        return max(0.0, (min(cost, self.quota) - self.left) * self.seconds / self.quota)


class Quota:
    """The buckets of one environment. ``now`` is monotonic, in seconds."""

    def __init__(self, now: float) -> None:
        smallest: tuple[tuple[_Kind, int, float], ...] = (  # Centra: a fresh instance's, until ``learn`` knows better
            ("requests", 20, 10.0),
            ("requests", 3_600, 3600.0),
            ("complexity", 150_000, 10.0),
            ("complexity", 20_000_000, 3600.0),
        )
        self._buckets = [Bucket(kind, quota, seconds, quota, now) for kind, quota, seconds in smallest]
        self._closed_until = float("-inf")
        self.learned = False
        self.learning = asyncio.Lock()

    def learn(self, limits: Sequence[RateLimit], now: float) -> None:
        """Takes over Centra's own figures; kinds and intervals we do not know are left aside."""
        told = [
            Bucket(kind, limit["quota"], seconds, limit["remainingQuota"], now)
            for limit in limits
            if (kind := _KINDS.get(limit["type"])) and (seconds := _SECONDS.get(limit["intervalSeconds"]))
            if limit["quota"] > 0
        ]
        self._buckets = told or self._buckets
        self.learned = True

    def reserve(self, complexity: float, now: float, patience: float) -> float:
        """Seconds to wait before one question; taken from the buckets unless that is longer than ``patience``."""
        costs = {"requests": 1.0, "complexity": complexity}
        for bucket in self._buckets:
            bucket.refill(now)
        waits = (bucket.wait(costs[bucket.kind]) for bucket in self._buckets)
        wait = max(self.closed_for(now), *waits)
        if wait <= patience:
            for bucket in self._buckets:
                bucket.left -= costs[bucket.kind]
        return wait

    def closed_for(self, now: float) -> float:
        """Seconds until Centra may be asked again after a 429."""
        return max(0.0, self._closed_until - now)

    def correct(self, complexity: float) -> None:
        """What the question cost beyond what was reserved; may be negative."""
        for bucket in self._buckets:
            if bucket.kind == "complexity":
                bucket.left -= complexity

    def close(self, seconds: float, now: float) -> None:
        """After a 429: nothing for that long, and then look at Centra's figures again."""
        self._closed_until = max(self._closed_until, now + seconds)
        self.learned = False


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds until the time a ``Retry-After`` names, 0 to an hour; None when it names none.

    ``now`` in epoch seconds. Centra calls the value a timestamp: a number beyond 10^9 is one, a smaller one counts
    seconds (RFC 9110), and dates are read as HTTP or ISO 8601 writes them.
    """
    text = (value or "").strip()
    if re.fullmatch(r"\d{1,15}(\.\d+)?", text):
        number = float(text)
        return min(LONGEST_WAIT, max(0.0, number - now if number > 1e9 else number))
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError):
            moment = parse(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return min(LONGEST_WAIT, max(0.0, aware.timestamp() - now))
    return None
