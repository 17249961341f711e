"""What all tests share: a database with today's schema on each engine, and the oracle of what Klaviyo is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from app.klaviyo import batches
from app.klaviyo.batches import Call, Part
from app.klaviyo.commands import Kind
from app.migrate import upgrade
from app.store.engine import Database, open_database
from app.store.sqlite import SQLite
from tests import postgres
from tests.oracle.contract import OPENAPI, TALLY, note


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with postgres.template() as url:
        yield url


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SQLite]:
    """An SQLite file, for what only such a one can do."""
    opened = SQLite(f"sqlite:///{tmp_path / 'gateway.db'}", exclusive=True)
    upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Each engine in turn."""
    if request.param == "sqlite":
        opened: Database = SQLite(f"sqlite:///{tmp_path / 'gateway.db'}", exclusive=True)
        upgrade(opened)
        yield opened
        await opened.close()
        return
    with postgres.copy_of(request.getfixturevalue("postgresql")) as url:
        opened = open_database(url)
        yield opened
        await opened.close()


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
