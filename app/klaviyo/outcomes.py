"""What an answer of Klaviyo means for the batch that was sent. One table; the first row that fits decides.

accepted   Klaviyo took it (202 means taken, not delivered)
retry      not applied or unknown: the identical batch goes again, after ``wait`` seconds or by backoff
throttled  the whole lane waits until Klaviyo's ``Retry-After``
repair     the same commands in another form: ``without`` what Klaviyo pointed at, or halved
pause      only a person can help (key, scope, retired revision): the account waits, nothing is lost
rejected   Klaviyo refuses this for good; its text is kept
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

MAX_RETRY_AFTER = 3600.0
DETAIL_CHARACTERS = 2000


class Meaning(StrEnum):
    """See the module's text."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    THROTTLED = "throttled"
    REPAIR = "repair"
    PAUSE = "pause"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: ``status`` None when nothing did. ``headers`` have lower-case names."""

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to do with the batch. ``items`` maps the positions Klaviyo pointed at to what it said of each;
    ``phones`` are those of them where it is about the phone number.
    """

    meaning: Meaning
    detail: str = ""
    wait: float | None = None
    items: Mapping[int, str] = field(default_factory=dict)
    phones: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    status: Callable[[int | None], bool]
    when: Callable[[Reply, int], bool]
    meaning: Meaning
    why: str


def _is(*codes: int | None) -> Callable[[int | None], bool]:
    return lambda status: status in codes


def _between(low: int, high: int) -> Callable[[int | None], bool]:
    return lambda status: status is not None and low <= status <= high


def _any(_: int | None) -> bool:
    return True


def _always(_: Reply, __: int) -> bool:
    return True


def _html(reply: Reply, _: int) -> bool:
    return "html" in reply.headers.get("content-type", "") or "cf-mitigated" in reply.headers


def _phone_of_one(reply: Reply, size: int) -> bool:
    return size == 1 and any(_about_phone(error) for error in _errors(reply.body))


def _many(_: Reply, size: int) -> bool:
    return size > 1


# fmt: off
TABLE = (
    Row(_is(200, 201, 202, 204), _always,       Meaning.ACCEPTED,  "taken"),
    Row(_is(None),               _always,       Meaning.RETRY,     "no whole answer: applied or not, unknown"),
    Row(_is(429),                _always,       Meaning.THROTTLED, "the account's window is used up"),
    Row(_is(503),                _always,       Meaning.THROTTLED, "Klaviyo asks for patience"),
    Row(_is(408, 500, 502, 504), _always,       Meaning.RETRY,     "Klaviyo's fault, unknown whether applied"),
    Row(_between(520, 524),      _always,       Meaning.RETRY,     "the edge lost the origin"),
    Row(_between(300, 399),      _always,       Meaning.RETRY,     "redirects are not followed"),
    Row(_is(403),                _html,         Meaning.RETRY,     "a challenge of the edge, not Klaviyo's word"),
    Row(_is(401),                _always,       Meaning.PAUSE,     "the private key is not valid"),
    Row(_is(403),                _always,       Meaning.PAUSE,     "the private key lacks a scope"),
    Row(_is(410),                _always,       Meaning.PAUSE,     "the API revision is retired: update the gateway"),
    Row(_is(413),                _many,         Meaning.REPAIR,    "too large together: halved"),
    Row(_is(400, 409),           _phone_of_one, Meaning.REPAIR,    "a refused or foreign phone: sent without"),
    Row(_is(400),                _many,         Meaning.REPAIR,    "one is refused: taken out, or halved"),
    Row(_any,                    _always,       Meaning.REJECTED,  "refused"),
)
# fmt: on


def judge(reply: Reply, size: int, now: float) -> Outcome:
    """What ``reply`` means for a batch of ``size`` commands; ``now`` in epoch seconds, for dates in ``Retry-After``."""
    row = next(row for row in TABLE if row.status(reply.status) and row.when(reply, size))
    detail = _detail(reply, row.why)
    if row.meaning is Meaning.THROTTLED:
        return Outcome(row.meaning, detail, wait=retry_after(reply.headers.get("retry-after"), now))
    if row.meaning is Meaning.REPAIR:
        errors = [(0 if size == 1 else _index(error), error) for error in _errors(reply.body)]
        items = {index: _text(error) for index, error in errors if index is not None}
        phones = frozenset(index for index, error in errors if index is not None and _about_phone(error))
        return Outcome(row.meaning, detail, items=items, phones=phones)
    return Outcome(row.meaning, detail)


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds to wait: whole seconds or an HTTP date, 0 to 3600; None when absent or unreadable."""
    if text is None:
        return None
    if text.strip().isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return min(max(0.0, at.timestamp() - now), MAX_RETRY_AFTER)


def _errors(body: bytes) -> list[dict[str, object]]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    errors = parsed.get("errors") if isinstance(parsed, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _pointer(error: dict[str, object]) -> str:
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return pointer if isinstance(pointer, str) else ""


def _index(error: dict[str, object]) -> int | None:
    """The item an error points at: the first number behind ``/data/``. Klaviyo's pointers come in many spellings."""
    found = re.search(r"/data/(?:[a-z_-]+/)*?(\d+)(?:/|$)", _pointer(error).removeprefix("/data/attributes"))
    return int(found.group(1)) if found else None


def _about_phone(error: dict[str, object]) -> bool:
    return "phone_number" in _pointer(error) or error.get("code") == "duplicate_profile"


def _detail(reply: Reply, why: str) -> str:
    if reply.status is None:
        return f"{why} ({reply.problem})"
    said = " | ".join(_text(error) for error in _errors(reply.body))
    return f"{reply.status}: {said or why}"[:DETAIL_CHARACTERS]


def _text(error: dict[str, object]) -> str:
    return f"{error.get('title', '')} {error.get('detail', '')} {_pointer(error)}".strip()[:DETAIL_CHARACTERS]
