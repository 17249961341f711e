"""``gateway preview``: what Klaviyo would be sent for a webhook in a file, with nothing stored, fetched or sent."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.connections import Connected, merge_patch
from app.errors import Invalid, Malformed, NotFound
from app.judge import Judged, Made, Missing, judge
from app.klaviyo.commands import Kind
from app.mappers.registry import PLATFORMS, platform
from app.mappers.source import Door, Source
from app.routers.checks import settings_faults
from app.routers.preview import NO_ACCOUNT, on_the_wire, shown

STYLES = {"mapped": "green", "ignored": "cyan", "unknown": "yellow", "waiting": "yellow", "quarantined": "red"}
FINDINGS = ("unknown", "quarantined")
UNWRAPPED = 1_000_000  # columns of a file or a pipe


class Previewed(NamedTuple):
    """What became of each event; ``assumed`` names the settings that nobody gave: ``base_currency SEK``."""

    results: list[Judged | Missing]
    assumed: str


def preview(name: str, body: bytes, door: str | None, settings: object, answers: object) -> Previewed:
    """Judge ``body`` with today's code. Raises ``NotFound`` (platform, door), ``Malformed``, ``Invalid``.

    ``body`` may also be the webhook of a golden pair, which brings door, settings and answers along, or the JSON of a
    form. What is None is not given.
    """
    source = platform(name)
    if source is None:
        raise NotFound(f"{name} is not a platform; known are {', '.join(source.name for source in PLATFORMS)}")
    value = _json(body)
    if isinstance(value, dict) and value.keys() >= {"door", "body"}:
        door = door or str(value["door"])
        settings = value.get("settings") if settings is None else settings
        answers = value.get("fetched") if answers is None else answers
        value = value["body"]
        body = value.encode() if isinstance(value, str) else orjson.dumps(value)
    by = _door(source, door, body, value)
    raw = body if value is None or by.content_type == "application/json" else on_the_wire(by, value)
    assumed: Mapping[str, Any] = {}
    if settings is None:
        settings = assumed = _smallest(source)
    connected = Connected("preview", source, NO_ACCOUNT, True, {}, _valid(source, settings), {})
    results = judge(connected, by, raw, _fetched({} if answers is None else answers))
    return Previewed(results, ", ".join(f"{field} {given}" for field, given in assumed.items()))


def _valid(source: Source[Any], settings: object) -> Mapping[str, Any]:
    if not isinstance(settings, dict):
        raise Malformed("settings and answers are JSON objects")
    merged = merge_patch({}, settings)
    if faults := settings_faults(source, merged, ()):
        raise Invalid(faults)
    return merged


def _fetched(answers: object) -> Mapping[str, bytes]:
    if not isinstance(answers, dict):
        raise Malformed("settings and answers are JSON objects")
    return {need: answer.encode() if isinstance(answer, str) else orjson.dumps(answer)
            for need, answer in answers.items()}  # fmt: skip


def _smallest(source: Source[Any]) -> Mapping[str, Any]:
    """The least that this platform's settings can be: an example of each field without a default."""
    schema = source.settings.model_json_schema()
    return {name: schema["properties"][name]["examples"][0] for name in schema.get("required", ())}


def _door(source: Source[Any], name: str | None, body: bytes, value: object) -> Door:
    """The door of this name; without one the first that takes what the body looks like."""
    for door in source.doors:
        if door.name == name or (name is None and _takes(door, body, value)):
            return door
    raise NotFound(f"{source.title} has these doors: {', '.join(door.name for door in source.doors)}")


def _takes(door: Door, body: bytes, value: object) -> bool:
    json = body.lstrip()[:1] in (b"{", b"[")
    if door.content_type == "application/json":
        return json
    fields = door.schema.get("properties", {})
    inside = [name for field in fields.values() for name in field.get("properties", ())]
    return not json or (isinstance(value, dict) and not value.keys().isdisjoint([*fields, *inside]))


def _json(body: bytes) -> Any:
    """What ``body`` holds, or None when it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def read(file: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``. Raises ``Malformed``."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Malformed(f"{file} cannot be read: {error.strerror}") from None


def read_json(file: str | None) -> object:
    """What a JSON file holds, None without one. Raises ``Malformed``."""
    try:
        return orjson.loads(read(file)) if file else None
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{file} is not JSON: line {error.lineno}, column {error.colno}") from None


def state_of(result: Judged | Missing) -> str:
    """In the word that is shown."""
    return "waiting" if isinstance(result, Missing) else result.state


def as_json(results: Iterable[Judged | Missing]) -> dict[str, object]:
    """As ``POST /api/preview`` answers."""
    return {"events": [shown(result).model_dump() for result in results]}


def show(results: Iterable[Judged | Missing], console: Console) -> None:
    """For people: event, state, then each command with its profile and properties. Never read as markup."""
    if not console.is_terminal:
        console.width = UNWRAPPED
    for result in results:
        state = state_of(result)
        title = Text.assemble((result.event or "(no name)", "bold"), " → ", result.slug or "-", "  ")
        console.print(title.append(state, style=STYLES[state]).append(f"  {result.reason}" if result.reason else ""))
        if isinstance(result, Missing):
            if result.need:
                console.print(Text(f"  give the platform's answer in --answers FILE: {{{result.need.name!r}: ...}}"))
            continue
        for made in result.commands:
            _show_command(made, console)
        for note in result.notes:
            console.print(Text(f"  note  {note}", style="yellow"))


def _show_command(made: Made, console: Console) -> None:
    stored = made.stored
    who, payload = orjson.loads(stored.profile)["attributes"], orjson.loads(stored.payload)
    kind = "" if stored.kind == stored.name else stored.kind.value
    console.print(Text.assemble("  ", (stored.name, "bold green"), f"  {kind}"))
    parts = {"profile": who, "with": {key: value for key, value in payload.items() if value}}
    if stored.kind is Kind.TRACK:
        properties = payload.pop("properties")
        payload.pop("metric")  # the name is told already
        parts = {"profile": who, "event": payload, "properties": properties}
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for title, part in parts.items():
        for n, (key, value) in enumerate(_flat(part)):
            rows.add_row(Text("" if n else f"    {title}"), Text(key), Text(value))
    console.print(rows)


def _flat(part: Mapping[str, object] | list[object], at: str = "") -> Iterator[tuple[str, str]]:
    """Each value with its path, ``Items.0.SKU``; a list of plain values stays on one line."""
    for key, value in part.items() if isinstance(part, Mapping) else enumerate(part):
        deep = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict | list) for v in value))
        if deep and isinstance(value, dict | list):
            yield from _flat(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value if isinstance(value, str) else orjson.dumps(value).decode()
