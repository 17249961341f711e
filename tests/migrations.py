"""Migrations up, down and up again on real databases; the schema they leave is the one the code declares.

    python -m tests.migrations

SQLite always; PostgreSQL from GATEWAY_TEST_DATABASE_URL, else from the wheel that carries a server.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.postgres import server

ROOT = Path(__file__).resolve().parent.parent
STEPS = (["upgrade", "head"], ["check"], ["downgrade", "base"], ["upgrade", "head"], ["check"])


def walk(url: str) -> None:
    """Every step in a process of its own, as an operator would run it."""
    for step in STEPS:
        environment = {**os.environ, "GATEWAY_DATABASE_URL": url}
        subprocess.run([sys.executable, "-m", "alembic", *step], cwd=ROOT, env=environment, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        walk(f"sqlite:///{folder}/walk.db")
    print("migrations up, down, up: SQLite ok", flush=True)
    with server() as url:
        walk(url)
    print("migrations up, down, up: PostgreSQL ok", flush=True)


if __name__ == "__main__":
    main()
