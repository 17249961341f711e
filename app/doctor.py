"""What can be checked before anything goes wrong: settings, database file, sealed secrets, SQLite, disk."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from app.connections import sealed
from app.errors import GatewayError
from app.mappers.registry import platform
from app.migrate import opened
from app.routers.checks import settings_faults
from app.security import SecretBox
from app.settings import load
from app.store import config, lanes, webhooks
from app.store.engine import Database, shown
from app.store.sqlite import sqlite_warning

FREE_BYTES = 500 * 1024 * 1024
LATE_MILLISECONDS = 15 * 60_000

Finding = tuple[bool, str]


def findings() -> Iterator[Finding]:
    """Each check as (good, what was found), in the order of start-up."""
    try:
        settings = load()
    except GatewayError as error:
        yield False, str(error)
        return
    yield True, f"settings read; database {shown(settings.url)}"
    if settings.url.startswith("sqlite:///"):
        good, found = _place(Path(settings.url.removeprefix("sqlite:///")))
        yield True, sqlite_warning() or "SQLite is new enough"
        yield good, found
        if not good:
            return
        if not Path(settings.url.removeprefix("sqlite:///")).exists():
            yield True, "there is no database yet; `gateway serve` makes it"
            return
    try:
        database = opened(settings.url)
    except GatewayError as error:
        yield False, str(error)
        return
    yield True, "database opened, schema is today's"
    yield _secrets(database, SecretBox(settings.master_keys))
    yield from _connections(database)
    yield from _queues(database)
    database.close_now()


def _place(path: Path) -> Finding:
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return False, f"the database cannot be kept there: {folder} is no folder that this user may write to"
    free = shutil.disk_usage(folder).free
    return free > FREE_BYTES, f"{free // 1024**2:,} MB free in {folder}"


def _secrets(database: Database, box: SecretBox) -> Finding:
    total, faults = sealed(database, box)
    if faults:
        return False, f"{len(faults)} of {total} sealed secrets do not open, among them {faults[0]}"
    return True, f"{total} sealed secrets open"


def _connections(database: Database) -> Iterator[Finding]:
    _, _, connections, scopes = database.read_now(config.everything)
    for row in connections:
        source = platform(row.platform)
        if source is None:
            yield False, f"connection {row.id}: no platform is called {row.platform} any more"
            continue
        own = [scope for scope in scopes if scope.connection_id == row.id]
        faults = settings_faults(source, json.loads(row.settings), own)
        told = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        yield not faults, f"connection {row.id}: {told or 'settings are valid'}"
        if not faults:
            warning = source.warns(source.settings.model_validate_json(row.settings), time.time())
            if warning:
                yield False, f"connection {row.id}: {warning}"


def _queues(database: Database) -> Iterator[Finding]:
    now = time.time() * 1000
    for lane in database.read_now(lanes.overview):
        name = f"lane {lane.account_id}/{lane.kind}"
        if lane.paused is not None:
            yield False, f"{name}: paused, {lane.waiting + lane.sending} commands wait: {lane.paused}"
        elif lane.oldest_due is not None and now - lane.oldest_due > LATE_MILLISECONDS:
            minutes = (now - lane.oldest_due) / 60_000
            yield False, f"{name}: {lane.waiting} commands wait, the oldest for {minutes:.0f} minutes"
    counts = database.read_now(webhooks.counts)
    unused = {state: counts[state] for state in ("quarantined", "unknown") if counts.get(state)}
    told = ", ".join(f"{count:,} {state}" for state, count in unused.items())
    yield True, f"{counts['received']:,} webhooks received, {counts['waiting']:,} wait" + (f", {told}" if told else "")
