"""Field types for platforms' schemas: what is already as it should be passes in Rust, only the rest reaches Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, GetCoreSchemaHandler, PlainValidator
from pydantic_core import CoreSchema, core_schema

from app.mappers import money


@dataclass(frozen=True, eq=False)
class OrElse:
    """``right`` as it is, anything else through ``repair`` (raises ValueError), and one ``complaint`` for both."""

    right: CoreSchema
    repair: Callable[[object], object]
    complaint: str
    also: CoreSchema
    """What ``repair`` takes, for the description of the API."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [self.right, core_schema.no_info_plain_validator_function(self.repair, json_schema_input_schema=self.also)],
            mode="left_to_right",
            custom_error_type="unreadable",
            custom_error_message=self.complaint,
        )


class _Moment:
    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.chain_schema(
            [
                # pydantic would also read "1795176000" and a bare date.
                core_schema.str_schema(pattern=r"^\d{4}-\d\d-\d\d[Tt ]"),
                core_schema.datetime_schema(
                    tz_constraint="aware", ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC)
                ),
            ]
        )


def _two_digits(literal: object) -> str:
    return money.two_digits(money.amount(literal))


def _blank(text: object) -> str:
    if text is None:
        return ""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return str(text)
    raise ValueError("not a text")


def names(value: object) -> list[str]:
    """The distinct names in a list or in a map of id to name, in order. Raises ``ValueError`` for anything else."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        raise ValueError("neither a list nor a map")
    return list(dict.fromkeys(str(name) for name in value if name is not None))


Money = Annotated[
    str,
    OrElse(
        core_schema.str_schema(pattern=r"^[0-9]{1,12}\.[0-9]{2}$"),
        _two_digits,
        "an amount such as 12.30 is expected: a point, no thousands separator, at most 10^12",
        core_schema.float_schema(),
    ),
]
"""A text with two digits after the point."""

Amount = Annotated[Decimal, PlainValidator(money.amount, json_schema_input_type=float | str)]
"""An exact number; see ``money.amount``."""

Blank = Annotated[str, OrElse(core_schema.str_schema(), _blank, "a text is expected", core_schema.none_schema())]
"""A text; null becomes ""."""

Names = Annotated[
    list[str],
    OrElse(
        core_schema.list_schema(core_schema.str_schema()),
        names,
        "a list of names, or a map of them, is expected",
        core_schema.dict_schema(core_schema.str_schema(), core_schema.str_schema()),
    ),
]
"""Names, from a list or from a map of id to name."""

Text = Annotated[str, Field(coerce_numbers_to_str=True, max_length=255)]
"""A short text, or a number taken as text."""

Identifier = Annotated[str, Field(coerce_numbers_to_str=True, min_length=1, max_length=255)]
"""1-255 characters, or a number taken as text."""

Moment = Annotated[datetime, _Moment()]
"""ISO 8601 with an offset, 2000-2100 (Klaviyo takes nothing before 1990 and nothing a year ahead)."""
