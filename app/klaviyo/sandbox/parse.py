"""The one way to read a body: raw bytes become a closed shape or a refusal that points at every fault."""

from __future__ import annotations

from typing import TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from app.klaviyo.sandbox.answers import problem, refused, wrong

Shape = TypeVar("Shape")


def read_body(shape: TypeAdapter[Shape], raw: bytes, now: float) -> Shape:
    """Read raw bytes as this shape; raises RefusalError (400) with one pointer for every fault found.

    `now` in seconds judges the times. NaN, Infinity and lone surrogates are no JSON and are refused as such.
    """
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise wrong("/data", f"The body is not valid JSON: {error}.") from None
    try:
        return shape.validate_python(body, context=now)
    except ValidationError as error:
        raise refused(*(_fault(fault) for fault in error.errors(include_url=False, include_input=False))) from None


def _fault(fault: ErrorDetails) -> dict[str, object]:
    name = fault["loc"][-1] if fault["loc"] else "data"
    detail = {
        "extra_forbidden": f"'{name}' is not a valid field for the resource.",
        "missing": f"'{name}' is required.",
    }.get(fault["type"], fault["msg"])
    return problem("/" + "/".join(str(part) for part in fault["loc"]), detail)
