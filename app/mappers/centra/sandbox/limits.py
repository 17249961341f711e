"""The stand-in's rate limits: token buckets shared by all callers, as Centra documents them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

RetryAfter = Literal["epoch", "seconds", "date", "none"]


@dataclass
class Limits:
    """Quotas in two windows each (Centra: a fresh instance's), and how ``Retry-After`` is written."""

    requests_ten_seconds: int = 20
    requests_hour: int = 10_000
    complexity_ten_seconds: int = 150_000
    complexity_hour: int = 20_000_000
    retry_after: RetryAfter = "epoch"
    _used: dict[str, float] = field(default_factory=dict)
    _at: float = 0.0

    def _windows(self) -> dict[tuple[str, str], tuple[int, float, str]]:
        return {
            ("REQUEST_COUNT", "TEN_SECONDS"): (self.requests_ten_seconds, 10, "r10"),
            ("REQUEST_COUNT", "ONE_HOUR"): (self.requests_hour, 3600, "r3600"),
            ("QUERY_COMPLEXITY", "TEN_SECONDS"): (self.complexity_ten_seconds, 10, "c10"),
            ("QUERY_COMPLEXITY", "ONE_HOUR"): (self.complexity_hour, 3600, "c3600"),
        }

    def _drain(self, now: float) -> None:
        for quota, seconds, key in self._windows().values():
            self._used[key] = max(0.0, self._used.get(key, 0.0) - (now - self._at) * quota / seconds)
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until another request is let in; it is counted when that is 0."""
        self._drain(now)
        waits = [0.0]
        for quota, seconds, key in self._windows().values():
            need = 1 if key.startswith("r") else 0
            waits.append((self._used[key] + need - quota) * seconds / quota)
        if max(waits) <= 1e-6:
            self._used["r10"] += 1
            self._used["r3600"] += 1
            return 0.0
        return max(waits)

    def spend(self, complexity: int) -> None:
        self._used["c10"] += complexity
        self._used["c3600"] += complexity

    def told(self, now: float) -> list[dict[str, object]]:
        """What the ``rateLimits`` query answers."""
        self._drain(now)
        return [
            {
                "type": kind,
                "intervalSeconds": interval,
                "quota": quota,
                "usedQuota": round(self._used[key]),
                "remainingQuota": quota - round(self._used[key]),
            }
            for (kind, interval), (quota, _, key) in self._windows().items()
        ]

    def header(self, wait: float, now: float) -> dict[str, str]:
        """``Retry-After`` in the chosen form, rounded up to whole seconds."""
        until = int(now + wait) + 1
        forms = {
            "epoch": str(until),
            "seconds": str(until - int(now)),
            "date": format_datetime(datetime.fromtimestamp(until, UTC), usegmt=True),
        }
        return {"retry-after": forms[self.retry_after]} if self.retry_after != "none" else {}
