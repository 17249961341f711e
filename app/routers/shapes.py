"""What all doors of our API share: how ids, names, times and pages look from outside."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.convertors import Convertor, register_url_convertor

from app.errors import Fault
from app.store.config import Found

T = TypeVar("T")

LARGEST_ID = 2**63 - 1
PAGE = 50
MOST_A_PAGE = 200
# C0 and C1 controls, zero-width characters, line separators, changes of writing direction, byte order mark.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
UNSEEN_TEXT = "control characters and invisible characters are not allowed"


class Ask(BaseModel):
    """Base of what is sent to us as JSON: closed, and a number is no text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(BaseModel):
    """Base of a query string: closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of what we answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Answer, Generic[T]):
    """One page of a list, newest first where the items have an age."""

    items: list[T] = Field(description="The items of this page.")
    next: str | None = Field(
        description="Ask for the next page with `before` set to this; null on the last one.", examples=[None]
    )


def visible(text: str) -> str:
    """Refuse what a person would not see."""
    if UNSEEN.search(text):
        raise ValueError(UNSEEN_TEXT)
    return text


def unseen(value: object, pointer: str) -> list[Fault]:
    """Where ``value`` (JSON) holds text that a person would not see."""
    if isinstance(value, str):
        return [Fault(pointer, UNSEEN_TEXT)] if UNSEEN.search(value) else []
    if isinstance(value, list):
        return [fault for index, item in enumerate(value) for fault in unseen(item, f"{pointer}/{index}")]
    if isinstance(value, dict):
        return [
            fault
            for key, item in value.items()
            for fault in unseen(key, pointer) + unseen(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
        ]
    return []


def _row_id(text: str) -> str:
    if int(text) > LARGEST_ID:
        raise ValueError("not an id")
    return text


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["main"])]
"""An id that an operator chose."""

RowId = Annotated[str, Field(pattern=r"^[0-9]{1,19}$", examples=["3713823591265239042"]), AfterValidator(_row_id)]
"""An id of ours: a whole number below 2^63, as text because JavaScript cannot hold it as a number."""

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Main shop"]), AfterValidator(visible)]
"""A name for people."""

PathId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The id that an operator chose.", examples=["main"])
]
PathRowId = Annotated[
    str,
    Path(pattern=r"^[0-9]{1,19}$", description="The id from a list.", examples=["3713823591265239042"]),
    AfterValidator(_row_id),
]


class RowIdInPath(Convertor[str]):
    """``{webhook_id:row}`` in a path: digits only, so that ``/replay`` beside it is a path of its own."""

    regex = "[0-9]{1,19}"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands."""
        return value


register_url_convertor("row", RowIdInPath())

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T12:00:00.000Z"])]
"""A time in UTC."""


class Paging(Query):
    """How to walk a list."""

    before: RowId | None = Field(None, description="Only what is older than this id: the `next` of the page before.")
    limit: int = Field(PAGE, ge=1, le=MOST_A_PAGE, description="How many.")

    @property
    def before_id(self) -> int | None:
        """``before`` as the store counts."""
        return None if self.before is None else int(self.before)


def page(rows: Sequence[Found], limit: int, shown: Callable[[Found], T]) -> Page[T]:
    """A page of rows, of which one more than ``limit`` was asked for."""
    items = rows[:limit]
    return Page(items=[shown(row) for row in items], next=str(items[-1].id) if len(rows) > limit else None)


def moment(milliseconds: int) -> str:
    """RFC 3339 in UTC of epoch milliseconds."""
    return _rfc3339(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds))


def moment_or_none(milliseconds: int | None) -> str | None:
    """As ``moment``; None for None and for 0, the store's word for "no time"."""
    return moment(milliseconds) if milliseconds else None


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> int:
    """Epoch milliseconds."""
    return int(time.time() * 1000)


def set_fields(body: BaseModel) -> Mapping[str, object]:
    """The fields that a PATCH names, in plain values."""
    return {name: getattr(body, name) for name in body.model_fields_set}
