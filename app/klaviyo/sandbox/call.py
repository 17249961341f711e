"""One call, from what Klaviyo's front reads of it to what the call log keeps of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.klaviyo.sandbox.accounts import Account

CALLS_KEPT = 10_000


@dataclass(slots=True)
class Call:
    """An authenticated call as an endpoint sees it; `resource` is the id in the path, `now` is in seconds.

    The endpoint sets `items`: the events, profiles or ids that the body holds.
    """

    account: Account
    now: float
    body: bytes
    path: str
    origin: str
    query: dict[str, str]
    resource: str = ""
    items: int = 0


@dataclass(slots=True)
class CallRecord:
    """What is told about a call: `status` is None when the connection was cut, `digest` names the body (SHA-256)."""

    method: str
    path: str
    query: str
    account: str | None
    status: int | None
    items: int
    received_at: float
    fault: bool
    digest: str
    headers: dict[str, str]
    number: int = 0


@dataclass(slots=True)
class CallLog:
    """The last 10,000 calls, numbered from 1 since the start or the last clearing."""

    records: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    total: int = 0

    def add(self, record: CallRecord) -> None:
        """Write a call down under the next number."""
        self.total += 1
        record.number = self.total
        self.records.append(record)

    def clear(self) -> None:
        """Forget every call and number from 1 again."""
        self.records.clear()
        self.total = 0


def iso(seconds: float) -> str:
    """Write seconds as Klaviyo writes times: ISO 8601 with an offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
