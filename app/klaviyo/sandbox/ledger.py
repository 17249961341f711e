"""The sandbox's memory of effects: what was applied once, and how often the same effect was sent again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import orjson


@dataclass(slots=True)
class AppliedEvent:
    """An event that Klaviyo would show; identifiers are those of the profile's event as first sent.

    `properties` are kept as JSON: as objects, tens of thousands of them would keep the garbage collector busy.
    Klaviyo does not say whether the `backfill` of a group or of its event wins: here either is enough.
    `time` is the source's time as sent, `timestamp` the same truncated to seconds, `received_at` the sandbox's clock.
    """

    id: str
    account: str
    metric: str
    profile_id: str
    email: str | None
    phone_number: str | None
    external_id: str | None
    unique_id: str
    time: str
    timestamp: int
    value: float | None
    value_currency: str | None
    properties: orjson.Fragment
    backfill: bool
    received_at: float
    applied: int = 1
    repeats: int = 0


@dataclass(slots=True)
class EventLog:
    """Events by profile, metric and unique id, in the order in which they were first seen."""

    entries: dict[tuple[str, str, str], AppliedEvent] = field(default_factory=dict)
    requests: int = 0

    def record(self, event: AppliedEvent) -> None:
        """Keep the event, or count a repeat: Klaviyo keeps the first and drops the rest without a word."""
        known = self.entries.setdefault((event.profile_id, event.metric, event.unique_id), event)
        if known is not event:
            known.repeats += 1


@dataclass(slots=True)
class ConsentChange:
    """A consent that changed: SUBSCRIBED, PENDING (double opt-in), UNSUBSCRIBED, SUPPRESSED or UNSUPPRESSED.

    `list` is the list of the request; an unsubscribe that stayed within it has `scope` "list", all else is "global".
    """

    account: str
    profile_id: str
    email: str | None
    phone_number: str | None
    channel: str
    consent: str
    list: str | None
    received_at: float
    scope: str = "global"
    consented_at: str | None = None
    custom_source: str | None = None
    historical_import: bool = False
    applied: int = 1
    repeats: int = 0

    def effect(self) -> tuple[object, ...]:
        """Two changes with the same effect are one change and a repeat."""
        return self.profile_id, self.channel, self.consent, self.list, self.scope


@dataclass(slots=True)
class MembershipChange:
    """A person who joined (`added`) or left (`removed`) a list, and the endpoint that did it."""

    account: str
    list: str
    profile_id: str
    email: str | None
    phone_number: str | None
    change: str
    via: str
    received_at: float
    applied: int = 1
    repeats: int = 0

    def effect(self) -> tuple[object, ...]:
        """Two changes with the same effect are one change and a repeat."""
        return self.profile_id, self.list, self.change


Change = TypeVar("Change", ConsentChange, MembershipChange)


@dataclass(slots=True)
class ChangeLog(Generic[Change]):
    """Changes in the order in which they happened; what changed nothing counts as a repeat of the latest like it."""

    entries: list[Change] = field(default_factory=list)
    requests: int = 0
    _latest: dict[tuple[object, ...], Change] = field(default_factory=dict)

    def record(self, change: Change, *, changed: bool | None = None) -> None:
        """Keep the change, or count a repeat of the latest like it when the state was like this already.

        Without `changed`, the first of its kind is a change and every other a repeat. What changed nothing and is the
        first of its kind (somebody removed from a list they were not on) is kept as a repeat that was never applied.
        """
        known = self._latest.get(change.effect())
        if known is not None and not changed:
            known.repeats += 1
            return
        if changed is False:
            change.applied, change.repeats = 0, 1
        self._latest[change.effect()] = change
        self.entries.append(change)
