"""The Klaviyo accounts of the sandbox: their settings, their keys and everything that was applied to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from app.klaviyo.sandbox.answers import not_found, wrong
from app.klaviyo.sandbox.ledger import ChangeLog, ConsentChange, EventLog, MembershipChange
from app.klaviyo.sandbox.people import People

METRICS_PER_ACCOUNT = 200  # Klaviyo: metrics an account can create

OptIn = Literal["single_opt_in", "double_opt_in"]
Scope = Literal[
    "accounts:read",
    "data-privacy:write",
    "events:read",
    "events:write",
    "lists:read",
    "lists:write",
    "metrics:read",
    "profiles:read",
    "profiles:write",
    "subscriptions:write",
]


@dataclass(slots=True)
class MailingList:
    """A list; `members` maps profile ids to the second in which they joined."""

    id: str
    name: str
    opt_in_process: OptIn
    created: float
    members: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Metric:
    """A metric, created by the first event that names it."""

    id: str
    name: str
    created: float


@dataclass(slots=True)
class Job:
    """A bulk job; the sandbox completes it before it answers. `failures` are Klaviyo's import errors."""

    id: str
    kind: str
    created: float
    total: int
    completed: int = 0
    lists: list[str] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)


@dataclass(slots=True)
class Key:
    """A private key: the account it opens, what it may do (None: everything), and whether it was revoked."""

    key: str
    account: str
    scopes: frozenset[Scope] | None = None
    revoked: bool = False


@dataclass(slots=True)
class Account:
    """One Klaviyo account.

    `opt_in_process` decides for subscriptions without a list (Klaviyo: double opt-in unless changed). `sms` false: no
    number to send from is set up. `age_gated` true: an SMS consent needs a date of birth.
    """

    id: str
    public_key: str = "SANDBX"
    currency: str = "EUR"
    opt_in_process: OptIn = "double_opt_in"
    sms: bool = True
    age_gated: bool = False
    lists: dict[str, MailingList] = field(default_factory=dict)
    people: People = field(default_factory=People)
    metrics: dict[str, Metric] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog)
    consents: ChangeLog[ConsentChange] = field(default_factory=ChangeLog)
    memberships: ChangeLog[MembershipChange] = field(default_factory=ChangeLog)
    profile_requests: int = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def open_list(self, name: str, opt_in_process: OptIn, now: float, list_id: str | None = None) -> MailingList:
        """Create a list; names need not be unique."""
        entry = MailingList(list_id or f"SB{next(self._numbers):04d}", name, opt_in_process, now)
        self.lists[entry.id] = entry
        return entry

    def list_of(self, list_id: str, pointer: str | None = None) -> MailingList:
        """Find a list; an unknown one is refused with 400 at the pointer of a body, or 404 when the path names it."""
        entry = self.lists.get(list_id)
        if entry is None:
            detail = f"A list with id {list_id} does not exist."
            raise wrong(pointer, detail) if pointer else not_found("/data/", detail)
        return entry

    def metric(self, name: str, now: float) -> Metric:
        """Find a metric, or create it as the first event with its name does."""
        if name not in self.metrics:
            self.metrics[name] = Metric(f"MT{len(self.metrics) + 1:04d}", name, now)
        return self.metrics[name]

    def open_job(self, kind: str, total: int, now: float, lists: Iterable[str] = ()) -> Job:
        """Start a bulk job."""
        job = Job(f"01SANDBXJOB{next(self._numbers):015d}", kind, now, total, lists=list(lists))
        self.jobs[job.id] = job
        return job

    def forget(self) -> None:
        """Drop everything that was applied; settings, keys and lists stay, the lists empty."""
        self.people = People()
        self.metrics, self.jobs = {}, {}
        self.events, self.consents, self.memberships = EventLog(), ChangeLog(), ChangeLog()
        self.profile_requests = 0
        for entry in self.lists.values():
            entry.members.clear()


def with_lists(account: Account, now: float) -> Account:
    """Give an account the two lists that every account of the sandbox has."""
    account.open_list("Newsletter", "single_opt_in", now, "NEWS01")
    account.open_list("Double", "double_opt_in", now, "DOUB01")
    return account
