"""What can be checked before anything goes wrong: settings, database file, sealed secrets, SQLite, disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from app.connections import account_place, connection_place
from app.errors import GatewayError
from app.migrate import upgrade
from app.security import SecretBox, Unsealable
from app.settings import Settings, load
from app.store import config
from app.store.engine import Database, sqlite_warning

FREE_BYTES = 500 * 1024 * 1024

Finding = tuple[bool, str]


def findings() -> Iterator[Finding]:
    """Each check as (good, what was found), in the order of start-up."""
    try:
        settings = load()
    except GatewayError as error:
        yield False, str(error)
        return
    yield True, f"settings read; database {settings.url}"
    yield from _machine(settings)
    try:
        database = Database(settings.url)
        upgrade(database)
    except Exception as error:  # whatever keeps the file from opening is the finding
        yield False, f"the database does not open: {type(error).__name__}: {error}"
        return
    yield True, "database opened, schema is today's"
    yield from _secrets(database, SecretBox(settings.master_keys))
    database.close()


def _machine(settings: Settings) -> Iterator[Finding]:
    warning = sqlite_warning()
    yield True, warning or "SQLite is new enough"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    yield free > FREE_BYTES, f"{free // 1024**2:,} MB free in {settings.data_dir}"


def _secrets(database: Database, box: SecretBox) -> Iterator[Finding]:
    _, accounts, connections, _ = database.read_now(config.everything)
    sealed = [(row.private_key, account_place(row.id)) for row in accounts]
    sealed += [(row.secrets, connection_place(row.id)) for row in connections]
    unreadable = []
    for secret, place in sealed:
        try:
            box.open(secret, place)
        except Unsealable as error:
            unreadable.append(str(error))
    yield not unreadable, "; ".join(unreadable) or f"{len(sealed)} sealed secrets open"
