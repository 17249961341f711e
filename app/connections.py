"""Connections as the running process sees them: secrets opened, settings validated, overrides merged, all in memory.

The hot path looks a connection up here and never touches the database for it. Loaded at start and again whenever the
configuration's version changed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from app.errors import SettingsUnsafe
from app.mappers.registry import platform
from app.mappers.source import ConnectionSettings, Source
from app.security import SecretBox, Unsealable
from app.store import config
from app.store.engine import Database
from app.telemetry import log

T = TypeVar("T")

REFRESH_SECONDS = 1.0
WARNING_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Account:
    """A Klaviyo account with its key opened."""

    id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Effective:
    """What applies to one event: the settings a mapper gets, and the account it is for (None: none given yet)."""

    settings: ConnectionSettings
    account_id: str | None


@dataclass(frozen=True)
class Connected:
    """One connection, ready for use."""

    id: str
    source: Source[Any]
    account_id: str | None
    enabled: bool
    secrets: Mapping[str, str] = field(repr=False)
    raw_settings: Mapping[str, Any]
    scopes: Mapping[str, tuple[Mapping[str, Any], str | None]]
    _effective: dict[tuple[str, ...], Effective] = field(default_factory=dict)

    @cached_property
    def settings(self) -> ConnectionSettings:
        """The connection's own settings, without any override."""
        return self.effective(()).settings

    @cached_property
    def open_doors(self) -> frozenset[str]:
        """The doors by which webhooks may come in: no secret, no door."""
        has_secret = {door.name: any(self.secrets.get(name) for name in door.secrets) for door in self.source.doors}
        return frozenset(name for name, open_ in has_secret.items() if open_ and self.enabled)

    def effective(self, scopes: tuple[str, ...]) -> Effective:
        """Settings with the overrides of ``scopes`` laid over them, weakest first."""
        known = tuple(scope for scope in scopes if scope in self.scopes)
        found = self._effective.get(known)
        if found is None:
            merged, account_id = self.raw_settings, self.account_id
            for scope in known:
                override, account = self.scopes[scope]
                merged = merge_patch(merged, override)
                account_id = account or account_id
            found = self._effective[known] = Effective(self.source.settings.model_validate(merged), account_id)
        return found


class Connections:
    """All connections and accounts by id; ``refresh`` reads them anew when something changed."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database, self._box = database, box
        self._version = -1
        self.wake = asyncio.Event()
        self.by_id: dict[str, Connected] = {}
        self.accounts: dict[str, Account] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """See every second what other processes changed, and look at the database's clock."""
        warned = 0.0
        while not stopping.is_set():
            try:
                await self._database.sync()
                await self.refresh()
                if (now := self._database.clock()) - warned > WARNING_SECONDS:
                    warned = now
                    self._warn(now)
            except Exception as error:  # the store may be away for a while; what is in memory goes on
                log.warning("refresh_failed", problem=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), REFRESH_SECONDS)

    def _warn(self, now: float) -> None:
        for connected in self.by_id.values():
            if text := connected.source.warns(connected.settings, now):
                log.warning("connection_warning", connection=connected.id, warning=text)

    async def refresh(self) -> bool:
        """Load again if the configuration's version moved; says whether it did."""
        if await self._database.read(config.version) == self._version:
            return False
        version, accounts, connections, scopes = await self._database.read(config.everything)
        if version <= self._version:  # another refresh overtook this one
            return False
        overrides: dict[str, dict[str, tuple[Mapping[str, Any], str | None]]] = {}
        for row in scopes:
            overrides.setdefault(row.connection_id, {})[row.scope] = (json.loads(row.settings), row.account_id)
        opened = (self._open(row, overrides.get(row.id, {})) for row in connections)
        _replace(self.by_id, {connection.id: connection for connection in opened if connection is not None})
        _replace(self.accounts, {row.id: account for row in accounts if (account := self._account(row)) is not None})
        self._version = version
        return True

    def _account(self, row: config.Found) -> Account | None:
        try:
            return Account(row.id, self._box.open(row.private_key, account_place(row.id)))
        except Unsealable as error:
            log.error("account_unreadable", account=row.id, problem=str(error))
            return None

    def _open(self, row: config.Found, scopes: Mapping[str, tuple[Mapping[str, Any], str | None]]) -> Connected | None:
        source = platform(row.platform)
        if source is None:
            log.error("platform_unknown", connection=row.id, platform=row.platform)
            return None
        try:
            secrets = json.loads(self._box.open(row.secrets, connection_place(row.id)))
            connected = Connected(
                row.id, source, row.account_id, row.enabled, secrets, json.loads(row.settings), scopes
            )
            connected.effective(())
        except (Unsealable, ValidationError) as error:
            log.error("connection_unreadable", connection=row.id, problem=type(error).__name__)
            return None
        return connected


def _replace(held: dict[str, T], by: dict[str, T]) -> None:
    """In place: the front door holds the same dictionary."""
    held.clear()
    held.update(by)


def merge_patch(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``patch`` over ``base`` as RFC 7396: objects merge, null removes (back to the default), all else replaces."""
    merged = dict(base)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            under = merged.get(key)
            merged[key] = merge_patch(under if isinstance(under, dict) else {}, value)
        else:
            merged[key] = value
    return merged


class Sealed(NamedTuple):
    """How many secrets the database holds, and why some do not open."""

    total: int
    faults: tuple[str, ...]


def sealed(database: Database, box: SecretBox) -> Sealed:
    """Try every stored secret with today's master keys."""
    _, accounts, connections, _ = database.read_now(config.everything)
    secrets = [(row.private_key, account_place(row.id)) for row in accounts]
    secrets += [(row.secrets, connection_place(row.id)) for row in connections]
    faults = []
    for secret, place in secrets:
        try:
            box.open(secret, place)
        except Unsealable as error:
            faults.append(str(error))
    return Sealed(len(secrets), tuple(faults))


def refuse_wrong_key(database: Database, box: SecretBox) -> None:
    """Raises ``SettingsUnsafe`` when no stored secret opens: every door would be shut and every account unreadable."""
    total, faults = sealed(database, box)
    if total and len(faults) == total:
        raise SettingsUnsafe(
            "GATEWAY_MASTER_KEY opens none of the stored secrets: they were sealed with another one. Start with that "
            "one; if it is lost, start with --lost-key and set every secret again through the REST API."
        )


def account_place(account_id: str) -> str:
    """Where an account's sealed private key belongs."""
    return f"account/{account_id}/private_key"


def connection_place(connection_id: str) -> str:
    """Where a connection's sealed secrets belong."""
    return f"connection/{connection_id}/secrets"
