"""What all tests share: a real SQLite file with today's schema, and the oracle that reads what Klaviyo is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.klaviyo import batches
from app.klaviyo.batches import Call, Part
from app.klaviyo.commands import Kind
from app.migrate import upgrade
from app.store.engine import Database
from tests.oracle.contract import OPENAPI, TALLY, note


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'gateway.db'}", exclusive=True)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def klaviyo_contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every body that delivery builds in this process goes past the oracle, whatever the test is about."""
    build, before = batches.call, len(TALLY.broken)

    def call(kind: Kind, form: str, members: Sequence[Part]) -> Call:
        built = build(kind, form, members)
        note(built.path, "POST", built.body)
        return built

    monkeypatch.setattr(batches, "call", call)
    yield
    assert TALLY.broken[before:] == [], "Klaviyo's contract is broken"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    by = "SDK and OpenAPI file" if OPENAPI.exists() else f"SDK alone, there is no {OPENAPI.name}"
    terminalreporter.write_line(f"contract oracle: {TALLY.checked} payloads checked ({by})")
