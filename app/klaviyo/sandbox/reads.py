"""How Klaviyo is read: filters, pages, sparse fields."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

import orjson

from app.klaviyo.sandbox.answers import Answer, document, wrong_parameter
from app.klaviyo.sandbox.call import Call
from app.klaviyo.sandbox.fields import moment

_STRING = r'"(?:[^"\\]|\\.)*"|\'[^\']*\''
_TERM = re.compile(
    rf"\s*([a-z-]+)\(\s*([A-Za-z_.]+)\s*,\s*({_STRING}|\[(?:\s*(?:{_STRING})\s*,?)*\s*\]|[^\s\"'\[\],()]+)\s*\)\s*(?:,|$)"
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "greater-than": lambda actual, bound: actual > bound,
    "greater-or-equal": lambda actual, bound: actual >= bound,
    "less-than": lambda actual, bound: actual < bound,
    "less-or-equal": lambda actual, bound: actual <= bound,
}

EQUALITY = frozenset({"equals", "any"})
ORDER = frozenset(_COMPARISONS)

Item = TypeVar("Item")
Resource = dict[str, object]


@dataclass(frozen=True, slots=True)
class Condition:
    """One term of a filter: its operator, its field and the values it names."""

    operator: str
    field: str
    values: tuple[str, ...]

    def holds(self, actual: object) -> bool:
        """Tell whether a field with this value passes; e-mail ignores case, times are compared in seconds."""
        if self.operator in EQUALITY:
            if self.field == "email":
                return str(actual).lower() in {value.lower() for value in self.values}
            return actual in self.values
        bound = self.values[0]
        seconds = float(bound) if bound.isdecimal() else moment(bound).timestamp()
        return isinstance(actual, int | float) and _COMPARISONS[self.operator](actual, seconds)


def conditions(call: Call, allowed: Mapping[str, frozenset[str]]) -> list[Condition]:
    """Read the `filter` of a call: terms joined by commas, all of which must hold.

    `allowed` maps fields to operators. Raises RefusalError (400, source.parameter `filter`) for anything else.
    """
    text, found, position = call.query.get("filter", ""), [], 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            raise wrong_parameter("filter", "The filter cannot be read.")
        operator, name, value = term.groups()
        if operator not in allowed.get(name, ()):
            raise wrong_parameter("filter", f"'{operator}' is not a valid operation on '{name}'.")
        condition = Condition(operator, name, tuple(_values(value)))
        if operator in ORDER:
            _check_bound(condition)
        found.append(condition)
        position = term.end()
    return found


def _check_bound(condition: Condition) -> None:
    try:
        condition.holds(0.0)
    except (ValueError, IndexError):
        raise wrong_parameter("filter", f"'{condition.field}' is compared with an RFC 3339 time.") from None


def _values(text: str) -> Iterable[str]:
    if text[0] not in "[\"'":
        return [text]
    return [
        str(orjson.loads(quoted)) if quoted.startswith('"') else quoted[1:-1] for quoted in re.findall(_STRING, text)
    ]


def listing(
    call: Call,
    items: Iterable[Item],
    view: Callable[[Item], Resource],
    *,
    default: int,
    maximum: int,
    included: Callable[[list[Item]], list[Resource]] | None = None,
) -> Answer:
    """Answer one page of items, with `links.next` until the last (Klaviyo: `page[size]`, `page[cursor]`)."""
    every = list(items)
    size = call.query.get("page[size]", str(default))
    if not size.isdecimal() or not 1 <= int(size) <= maximum:
        raise wrong_parameter("page[size]", f"The page size must be between 1 and {maximum}.")
    start = _offset(call.query.get("page[cursor]"))
    end = start + int(size)
    page = every[start:end]
    content: Resource = {
        "data": [sparse(call, view(item)) for item in page],
        "links": {
            "self": _link(call, start) if start else f"{call.origin}{call.path}",
            "next": _link(call, end) if end < len(every) else None,
            "prev": _link(call, max(0, start - int(size))) if start else None,
        },
    }
    if included:
        content["included"] = included(page)
    return document(200, content)


def sparse(call: Call, resource: Resource) -> Resource:
    """Keep the attributes that `fields[type]` names, if it names any."""
    wanted = call.query.get(f"fields[{resource['type']}]")
    attributes = resource["attributes"]
    if wanted is None or not isinstance(attributes, dict):
        return resource
    return {**resource, "attributes": {name: value for name, value in attributes.items() if name in wanted.split(",")}}


def self_link(call: Call, path: str) -> dict[str, str]:
    """The links of one resource."""
    return {"self": f"{call.origin}{path}"}


def _offset(cursor: str | None) -> int:
    try:
        return int(urlsafe_b64decode(cursor)) if cursor else 0
    except (ValueError, NotBase64):
        raise wrong_parameter("page[cursor]", "The cursor is not valid.") from None


def _link(call: Call, offset: int) -> str:
    cursor = urlsafe_b64encode(str(offset).encode()).decode()
    return f"{call.origin}{call.path}?{urlencode({**call.query, 'page[cursor]': cursor})}"
