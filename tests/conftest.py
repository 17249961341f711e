"""What all tests share: a real SQLite file with today's schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrate import upgrade
from app.store.engine import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'gateway.db'}", exclusive=True)
    upgrade(opened)
    yield opened
    opened.close()
