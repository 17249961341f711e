"""Golden pairs: ``tests/golden/<platform>/<slug>/<case>.webhook.json`` and what Klaviyo is sent for it, side by side.

A webhook file holds the door, the body, what the platform's API answered (by need) and the connection's settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from app.connections import Connected
from app.judge import Judged, Made, judge
from app.mappers.registry import platform
from app.mappers.source import Door, Source

ROOT = Path(__file__).resolve().parent.parent / "golden"
ACCOUNT = "account"


@dataclass(frozen=True)
class Pair:
    """One golden pair."""

    platform: str
    slug: str
    case: str

    @property
    def id(self) -> str:
        return f"{self.platform}/{self.slug}/{self.case}"

    @property
    def source(self) -> Source[Any]:
        found = platform(self.platform)
        assert found is not None
        return found

    @property
    def webhook(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((ROOT / f"{self.id}.webhook.json").read_text())
        return found

    @property
    def expected(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((ROOT / f"{self.id}.klaviyo.json").read_text())
        return found

    def judged(self) -> list[Judged]:
        """What today's code makes of the webhook."""
        webhook = self.webhook
        answers = {need: orjson.dumps(answer) for need, answer in webhook.get("fetched", {}).items()}
        connected = Connected("c", self.source, ACCOUNT, True, {}, webhook["settings"], {})
        door = door_of(self.source, webhook["door"])
        results = judge(connected, door, raw(door, webhook["body"]), answers)
        judged = [result for result in results if isinstance(result, Judged)]
        assert len(judged) == len(results), results
        return judged

    def made(self) -> list[Made]:
        return [made for result in self.judged() for made in result.commands]


def pairs() -> Iterator[Pair]:
    for path in sorted(ROOT.glob("*/*/*.webhook.json")):
        yield Pair(path.parts[-3], path.parts[-2], path.name.removesuffix(".webhook.json"))


def door_of(source: Source[Any], name: str) -> Door:
    return next(door for door in source.doors if door.name == name)


def raw(door: Door, body: object) -> bytes:
    """The bytes on the wire; a form's fields hold JSON."""
    if door.content_type == "application/json":
        return orjson.dumps(body)
    fields = body if isinstance(body, dict) and "payload" in body else {"payload": body}
    return urlencode({name: json.dumps(value) for name, value in fields.items()}).encode()


def shown(judged: list[Judged]) -> list[dict[str, Any]]:
    """As a golden file shows it: notes, then a reason for what could not be used, then the commands."""
    lines: list[dict[str, Any]] = []
    for result in judged:
        lines += [{"note": note} for note in result.notes]
        if result.state == "quarantined":
            lines.append({"quarantined": result.reason})
        lines += [
            {
                "kind": made.stored.kind.value,
                "profile": orjson.loads(made.stored.profile),
                "payload": orjson.loads(made.stored.payload),
            }
            for made in result.commands
        ]
    return lines
