"""Bringing the database to the schema this code needs, by alembic, before anything else touches it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.errors import GatewayError
from app.store.engine import Database, open_database, shown, take_turns

ROOT = Path(__file__).resolve().parent.parent


class Unopenable(GatewayError):
    """The database cannot be used as it is; the reason is for the operator of the process."""

    code = "unopenable"


def opened(url: str, *, exclusive: bool = False) -> Database:
    """The database at ``url`` with today's schema; raises ``Unopenable``, ``FileInUse``."""
    try:
        database = open_database(url, exclusive=exclusive)
        upgrade(database)
    except (OSError, DBAPIError, CommandError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise Unopenable(f"the database {shown(url)} does not open: {reason}") from error
    return database


def upgrade(database: Database) -> None:
    """To the newest revision, in one transaction."""
    database.write_now(_to_head)


def _to_head(connection: Connection) -> None:
    take_turns(connection)
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
