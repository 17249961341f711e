"""Bringing the database to the schema this code needs, by alembic, before anything else touches it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from app.store.engine import Database

ROOT = Path(__file__).resolve().parent.parent


def upgrade(database: Database) -> None:
    """To the newest revision, in one transaction a step."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
