"""What holds for every platform in the registry: where things are, that mappers are pure, and what Klaviyo may see."""

from __future__ import annotations

import ast
import copy
import importlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from app.connections import Connected
from app.judge import Judged, Missing, judge
from app.klaviyo.commands import Kind
from app.mappers.registry import PLATFORMS
from app.mappers.source import Door, Example, Source
from tests.mappers.golden import ACCOUNT, Pair, pairs, raw

MAPPERS = Path(__file__).resolve().parents[2] / "app" / "mappers"
PAIRS = [pair for pair in pairs() if pair.made()]
IDS = [pair.id for pair in PAIRS]
EXAMPLES = [(source, door, example) for source in PLATFORMS for door in source.doors for example in door.examples]
MODULES = sorted({(source.name, mapping.slug) for source in PLATFORMS for mapping in source.table.values()})
SHARED = ("identity", "money", "fields")
IMPURE = {"time", "random", "secrets", "uuid", "os", "socket", "asyncio", "httpx", "sqlalchemy", "threading", "io"}


@pytest.mark.parametrize(("platform", "slug"), MODULES)
def test_the_path_is_the_index(platform: str, slug: str) -> None:
    """A mapping's slug is its module, and the table names that module's ``map``."""
    module = importlib.import_module(f"app.mappers.{platform}.{slug}")
    source = next(source for source in PLATFORMS if source.name == platform)
    assert {mapping.map for mapping in source.table.values() if mapping.slug == slug} == {module.map}
    assert re.fullmatch(r"[a-z][a-z_]*[a-z]", slug)


@pytest.mark.parametrize("source", PLATFORMS, ids=[source.name for source in PLATFORMS])
def test_an_event_name_has_one_answer_and_what_is_ignored_has_a_reason(source: Source[Any]) -> None:
    assert not source.table.keys() & source.ignored.keys()
    assert all(reason for reason in source.ignored.values())
    assert len({door.path for door in source.doors}) == len(source.doors)
    assert all(door.path.count("{connection}") == 1 and door.secrets for door in source.doors)
    assert all(name in source.secrets.model_fields for door in source.doors for name in door.secrets)


def _pure_files() -> Iterator[Path]:
    yield from (MAPPERS / f"{name}.py" for name in SHARED)
    for platform, slug in MODULES:
        yield MAPPERS / platform / f"{slug}.py"


@pytest.mark.parametrize("path", [*_pure_files()], ids=lambda path: path.stem)
def test_a_mapper_has_no_clock_no_chance_and_no_way_out(path: Path) -> None:
    """Followed through everything of the platform's that it imports."""
    seen: set[Path] = set()
    pending = [path]
    while pending:
        here = pending.pop()
        seen.add(here)
        tree = ast.parse(here.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                assert not {name.partition(".")[0] for name in names} & IMPURE, f"{here.name}: {names}"
                members = [f"{names[0]}.{alias.name}" for alias in node.names]
                pending += [found for name in (*names, *members) if (found := _file(name)) and found not in seen]
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"now", "utcnow", "today"}, f"{here.name} reads the clock"


def _file(module: str) -> Path | None:
    if not module.startswith("app.mappers.") or module == "app.mappers.source":
        return None
    path = MAPPERS.parent.parent / (module.replace(".", "/") + ".py")
    return path if path.exists() else None


@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_the_same_webhook_gives_the_same_bytes_and_is_left_as_it_was(pair: Pair) -> None:
    assert pair.made() == pair.made()
    webhook, source = pair.webhook, pair.source
    settings = source.settings.model_validate(webhook["settings"])
    door = next(door for door in source.doors if door.name == webhook["door"])
    for event in door.events(raw(door, webhook["body"])):
        mapping = source.table[event.name]
        body = event.body
        if mapping.need is not None:
            body = webhook["fetched"][mapping.need(body).name]
        value = mapping.schema.validate_python(copy.deepcopy(body))
        before = copy.deepcopy(value)
        list(mapping.map(value, settings))
        assert value == before


@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_what_klaviyo_is_sent_keeps_the_laws(pair: Pair) -> None:
    for made in pair.made():
        kind, _, key, _, profile, payload = made.stored
        assert len(key) == 16
        assert made.account_id == ACCOUNT
        attributes = orjson.loads(profile)["attributes"]
        assert attributes.keys() & {"email", "phone_number", "external_id", "anonymous_id"}
        location = attributes.pop("location", {})
        assert not location or any(location.values())
        assert _empty(attributes) == []
        assert b"-0.0" not in payload.replace(b"-0.0.", b"")
        if kind is Kind.TRACK:
            _track_laws(orjson.loads(payload))


def _track_laws(event: dict[str, Any]) -> None:
    assert 1 <= len(event["unique_id"]) <= 255
    assert event["time"].endswith("Z")
    assert datetime.fromisoformat(event["time"]).utcoffset() is not None
    assert ("value" in event) == ("value_currency" in event)
    if "value" in event:
        assert isinstance(event["value"], int | float)
        assert event["value"] >= 0
    properties = event["properties"]
    assert not [name for name in properties if name.startswith("$")]
    assert None not in properties.values()


def _empty(value: object, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _empty(inner, f"{path}/{key}")]
    return [path] if value in (None, "") else []


@pytest.mark.parametrize(
    ("source", "door", "example"), EXAMPLES, ids=[f"{s.name}-{d.name}-{e.title}" for s, d, e in EXAMPLES]
)
def test_an_example_is_what_its_door_takes(source: Source[Any], door: Door, example: Example) -> None:
    """By the schema that the docs show, and by the code: mapped, or waiting for the platform's API."""
    jsonschema.validate(orjson.loads(orjson.dumps(example.body)), dict(door.schema))
    settings = {"base_currency": "SEK"}
    connected = Connected("c", source, ACCOUNT, True, {}, settings, {})
    results = judge(connected, door, raw(door, example.body), {})
    assert results
    for result in results:
        assert isinstance(result, Missing) or (isinstance(result, Judged) and result.state == "mapped"), result


@pytest.mark.parametrize("source", PLATFORMS, ids=[source.name for source in PLATFORMS])
def test_every_mapping_has_an_example_in_the_docs(source: Source[Any]) -> None:
    shown = set()
    for door in source.doors:
        for example in door.examples:
            shown |= {event.name for event in door.events(raw(door, example.body))}
    assert {mapping.slug for mapping in source.table.values()} == {
        source.table[name].slug for name in shown if name in source.table
    }
