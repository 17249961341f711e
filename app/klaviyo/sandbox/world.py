"""All that one sandbox holds in memory: clock, accounts, keys, windows, faults and the call log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.klaviyo.sandbox.accounts import Account, Key, with_lists
from app.klaviyo.sandbox.call import CallLog
from app.klaviyo.sandbox.faults import Faults
from app.klaviyo.sandbox.limits import Windows

DEFAULT_ACCOUNT = "SANDBX"
DEFAULT_KEY = "pk_sandbox"


@dataclass(slots=True)
class World:
    """The state of one sandbox. `clock` returns seconds since 1970."""

    clock: Callable[[], float]
    windows: Windows
    accounts: dict[str, Account] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    calls: CallLog = field(default_factory=CallLog)

    def settle(self, accounts: Iterable[Account]) -> None:
        """Add accounts, each with the two lists that every account of the sandbox has."""
        for account in accounts:
            self.accounts[account.id] = with_lists(account, self.clock())

    def open(self, account_id: str) -> Account:
        """Find an account, or create it."""
        if account_id not in self.accounts:
            self.settle([Account(account_id, public_key=account_id)])
        return self.accounts[account_id]

    def issue(self, key: Key) -> Key:
        """Add a key, or replace the one of that name; its account is created when it does not exist."""
        self.open(key.account)
        self.keys[key.key] = key
        return key
