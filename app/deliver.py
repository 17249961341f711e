"""The story of one batch: lease a lane, commit the membership, send, judge the answer, settle, give the lane back.

Whatever dies in between: what was accepted is settled, or the identical batch goes again and Klaviyo's ``unique_id``
makes the repeat harmless.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.connections import Account, Connections
from app.errors import LeaseLost
from app.klaviyo import batches, pacing
from app.klaviyo.client import Klaviyo
from app.klaviyo.commands import Kind
from app.klaviyo.outcomes import Meaning, Outcome, Reply, judge
from app.klaviyo.repairs import repair
from app.retry import backoff, expired
from app.store import lanes
from app.store.engine import Database
from app.store.lanes import Attempt, Batch, Lane, Member, Settlement, Verdict
from app.telemetry import log

LANES_AT_ONCE = 8
LEASE_SECONDS = 60.0  # more than a call's deadline and its settlement together
TURN_SECONDS = 5.0
IDLE_SECONDS = 0.25
PROBE_SECONDS = 60.0
STOP_SECONDS = 4.0  # with what the HTTP server takes, the process ends within ten
IN_FLIGHT = {batches.SINGLE: 64, batches.BULK: 4}
DUE_AT_ONCE = 1000

PATHS: Mapping[tuple[Kind, str], str] = {
    (Kind.TRACK, batches.SINGLE): "/api/events",
    (Kind.TRACK, batches.BULK): "/api/event-bulk-create-jobs",
    (Kind.UPSERT_PROFILE, batches.SINGLE): "/api/profile-import",
    (Kind.SUBSCRIBE, batches.BULK): "/api/profile-subscription-bulk-create-jobs",
    (Kind.UNSUBSCRIBE, batches.BULK): "/api/profile-subscription-bulk-delete-jobs",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch, what came back, what it means, and what the call was."""

    batch: Batch
    call: batches.Call
    reply: Reply
    outcome: Outcome
    milliseconds: int


@dataclass
class Results:
    """What a step adds up to while its answers come in; becomes one ``Settlement``."""

    attempts: list[Attempt] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    retries: list[tuple[int, int]] = field(default_factory=list)
    split: list[tuple[str, Sequence[int]]] = field(default_factory=list)
    repaired: list[tuple[int, bytes]] = field(default_factory=list)
    not_before: float | None = None
    paused: str | None = None

    def settlement(self, paces: Mapping[str, pacing.Pace]) -> Settlement:
        """As the store wants it."""
        return Settlement(
            self.attempts, self.verdicts, self.closed, self.retries, self.split, self.repaired,
            None if self.not_before is None else _ms(self.not_before), pacing.stored(paces),
        )  # fmt: skip


@dataclass
class Delivery:
    """Sends what is due until stopped. Set ``wake`` whenever commands were stored."""

    database: Database
    connections: Connections
    klaviyo: Klaviyo
    clock: Callable[[], float] = time.time
    share: float = pacing.SHARE
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    _turns: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then end within ``STOP_SECONDS`` or so and give the lanes back."""
        while not stopping.is_set():
            self.wake.clear()
            lane = None
            try:
                lane = await self._lease() if len(self._turns) < LANES_AT_ONCE else None
            except Exception as error:  # the store may be away for a while; commands wait in it
                log.exception("lease_failed", problem=type(error).__name__)
            if lane is None:
                await _wait(self.wake, IDLE_SECONDS)
                continue
            task = asyncio.create_task(self._turn(lane, stopping))
            self._turns.add(task)
            task.add_done_callback(self._turn_over)
        await self._end()

    async def _end(self) -> None:
        """Let calls under way be answered for a while. What is cut off is a committed batch: it goes again as it is."""
        if self._turns:
            _, late = await asyncio.wait(self._turns, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _turn_over(self, task: asyncio.Task[None]) -> None:
        self._turns.discard(task)
        self.wake.set()

    async def drain(self) -> None:
        """Serve lanes until none has anything due (tests, command line)."""
        while (lane := await self._lease()) is not None:
            await self._turn(lane, asyncio.Event())

    async def _lease(self) -> Lane | None:
        now = self.clock()
        return await self.database.write(lanes.lease, self.owner, _ms(now), _ms(now + LEASE_SECONDS))

    async def _turn(self, lane: Lane, stopping: asyncio.Event) -> None:
        """Serve one lane for up to ``TURN_SECONDS``, so that no account keeps the others waiting."""
        until = self.clock() + TURN_SECONDS
        paces = pacing.paces(lane.pacing)
        try:
            account = self.connections.accounts.get(lane.account_id)
            if account is None:
                await self._pause(lane, "the account or its private key cannot be read")
            elif lane.paused is None or await self._works_again(lane, account):
                while await self._step(lane, account, paces) and not stopping.is_set() and self.clock() < until:
                    pass
        except LeaseLost:
            log.warning("lease_lost", account=lane.account_id, kind=lane.kind)
            return
        except asyncio.CancelledError:
            await self.database.write(lanes.release, lane, _ms(self.clock()))
            raise
        except Exception as error:  # what was under way is a committed batch: it goes again
            log.exception("turn_failed", account=lane.account_id, kind=lane.kind, problem=type(error).__name__)
        await self.database.write(lanes.release, lane, _ms(self.clock()))

    async def _step(self, lane: Lane, account: Account, paces: dict[str, pacing.Pace]) -> bool:
        """Send what is due once; says whether it is worth going on at once."""
        kind, now = Kind(lane.kind), self.clock()
        window = Window(kind, paces, now, self.share)
        due = await self.database.write(lanes.prepare, lane, _ms(now), DUE_AT_ONCE, window.plan)
        if not due:
            return False
        sent = await self._send(account.private_key, kind, window.allowed(due))
        results = self._judged(sent, paces)
        if not sent:
            results.not_before = now + window.wait(due)
        await self.database.write(lanes.settle, lane, results.settlement(paces), _ms(self.clock()))
        if results.paused is not None:
            await self._pause(lane, results.paused)
        return results.paused is None and results.not_before is None

    async def _send(self, private_key: str, kind: Kind, due: Sequence[Batch]) -> list[Sent]:
        slots = {form: asyncio.Semaphore(most) for form, most in IN_FLIGHT.items()}

        async def one(batch: Batch) -> Sent:
            call = batches.call(kind, batch.form, batch.members)
            async with slots[batch.form]:
                started = time.perf_counter()
                reply = await self.klaviyo.send(private_key, call.path, call.body)
                took = int((time.perf_counter() - started) * 1000)
            return Sent(batch, call, reply, judge(reply, len(batch.members), self.clock()), took)

        return list(await asyncio.gather(*(one(batch) for batch in due)))

    def _judged(self, sent: Sequence[Sent], paces: dict[str, pacing.Pace]) -> Results:
        results, now = Results(), self.clock()
        for each in sent:
            path, outcome = each.call.path, each.outcome
            limit = pacing.LIMITS[path]
            paces[path] = paces.get(path, pacing.Pace()).sent(1, now).told(each.reply.headers, limit, now)
            results.attempts.append(
                Attempt(each.batch.id, path, len(each.batch.members), each.reply.status, outcome.meaning.value,
                        outcome.detail, each.milliseconds, _ms(now))
            )  # fmt: skip
            SETTLE[outcome.meaning](results, each, now)
        return results

    async def _pause(self, lane: Lane, reason: str) -> None:
        log.error("account_paused", account=lane.account_id, reason=reason)
        until = _ms(self.clock() + PROBE_SECONDS)
        await self.database.write(lanes.pause_account, lane.account_id, reason, until)

    async def _works_again(self, lane: Lane, account: Account) -> bool:
        """One harmless call a minute for a paused account."""
        state = await self.klaviyo.account(account.private_key)
        if state.status in (200, 403):
            log.info("account_resumed", account=lane.account_id)
            await self.database.write(lanes.resume_account, lane.account_id, _ms(self.clock()))
            return True
        await self._pause(lane, lane.paused or state.detail)
        return False


@dataclass(frozen=True)
class Window:
    """How due commands are cut, and how many of the batches Klaviyo's windows let through now."""

    kind: Kind
    paces: Mapping[str, pacing.Pace]
    now: float
    share: float

    def plan(self, members: Sequence[Member]) -> Sequence[tuple[str, Sequence[Member]]]:
        """Cut into batches, no more of them than may be sent now (one, when none may: it says what must wait)."""
        cut = batches.plan(self.kind, members)
        return cut[: max(1, self._room(cut[0][0]))] if cut else []

    def allowed(self, due: Sequence[Batch]) -> list[Batch]:
        """The batches that may go now, oldest first."""
        left = {form: self._room(form) for form in {batch.form for batch in due}}
        going = []
        for batch in due:
            if left[batch.form] > 0:
                left[batch.form] -= 1
                going.append(batch)
        return going

    def wait(self, due: Sequence[Batch]) -> float:
        """Seconds until the first of these may go; 0 when nothing is due."""
        return min(
            (self._pace(batch.form).wait(self._limit(batch.form), self.now, self.share) for batch in due), default=0.0
        )

    def _room(self, form: str) -> int:
        return self._pace(form).room(self._limit(form), self.now, self.share)

    def _pace(self, form: str) -> pacing.Pace:
        return self.paces.get(PATHS[self.kind, form], pacing.Pace())

    def _limit(self, form: str) -> pacing.Limit:
        return pacing.LIMITS[PATHS[self.kind, form]]


def _accept(results: Results, sent: Sent, now: float) -> None:
    _end(results, sent.batch, "accepted", "")


def _reject(results: Results, sent: Sent, now: float) -> None:
    _end(results, sent.batch, "rejected", sent.outcome.detail)


def _retry(results: Results, sent: Sent, now: float) -> None:
    if expired(max(member.created_at for member in sent.batch.members), now):
        _end(results, sent.batch, "parked", f"given up after seven days: {sent.outcome.detail}")
    else:
        results.retries.append((sent.batch.id, _ms(now + backoff(sent.batch.attempts))))


def _throttle(results: Results, sent: Sent, now: float) -> None:
    wait = sent.outcome.wait if sent.outcome.wait is not None else backoff(sent.batch.attempts)
    results.retries.append((sent.batch.id, _ms(now + wait)))
    results.not_before = max(results.not_before or 0.0, now + wait)


def _stop(results: Results, sent: Sent, now: float) -> None:
    results.retries.append((sent.batch.id, _ms(now)))
    results.paused = sent.outcome.detail


def _repair(results: Results, sent: Sent, now: float) -> None:
    mended = repair(sent.batch.members, sent.batch.form, sent.call, sent.outcome)
    results.closed.append(sent.batch.id)
    results.verdicts += [Verdict(id_, sent.batch.id, "rejected", text) for id_, text in mended.rejected]
    results.repaired += mended.repaired
    results.split += mended.batches


def _end(results: Results, batch: Batch, state: str, detail: str) -> None:
    results.closed.append(batch.id)
    results.verdicts += [Verdict(member.id, batch.id, state, detail) for member in batch.members]


SETTLE: Mapping[Meaning, Callable[[Results, Sent, float], None]] = {
    Meaning.ACCEPTED: _accept,
    Meaning.REJECTED: _reject,
    Meaning.RETRY: _retry,
    Meaning.THROTTLED: _throttle,
    Meaning.PAUSE: _stop,
    Meaning.REPAIR: _repair,
}


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
