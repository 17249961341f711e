"""The story of one webhook: taken apart into events, each looked up, its needs fetched, mapped, stored as commands.

Every step may be repeated: fetched answers are stored beside the webhook, mapping is a pure function of stored bytes,
and the commands' unique keys forget what was there before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection

from app.connections import Connected, Connections
from app.errors import FetchFailed, Unusable
from app.judge import Judged, Missing, judge
from app.klaviyo.commands import Stored, digest
from app.mappers.source import Api, Need
from app.retry import backoff, expired
from app.store import commands, webhooks
from app.store.commands import Before, Ordered
from app.store.engine import Database
from app.store.webhooks import Due, Translated
from app.telemetry import log

GROUP = 50
CLAIM_SECONDS = 120.0
IDLE_SECONDS = 0.25
FETCHES_AT_ONCE = 8
NOT_FOUND_TRIES = 8  # a platform may announce an order before its API shows it; 8 tries span about two minutes

# From the most to the least urgent for an operator: a webhook of many events shows its most urgent one.
STATES = ("quarantined", "mapped", "unknown", "ignored")


@dataclass
class Translator:
    """Takes due webhooks and translates them until stopped. Set ``wake`` whenever webhooks were stored."""

    database: Database
    connections: Connections
    apis: Mapping[str, Api]
    made: Callable[[], None]
    clock: Callable[[], float] = time.time
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _fetching: set[asyncio.Task[None]] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FETCHES_AT_ONCE))

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set; what is being fetched then stays claimed and is taken up again."""
        while not stopping.is_set():
            self.wake.clear()
            try:
                await self.connections.refresh()
                taken = await self.step()
            except Exception as error:  # the store may be away for a while; webhooks wait in it
                log.exception("translate_failed", problem=type(error).__name__)
                taken = 0
            if not taken:
                await _wait(self.wake, IDLE_SECONDS)
        for task in self._fetching:
            task.cancel()
        await asyncio.gather(*self._fetching, return_exceptions=True)

    async def step(self) -> int:
        """Translate one group of due webhooks; says how many were taken."""
        now = self.clock()
        due = await self.database.write(webhooks.claim, _ms(now), _ms(now + CLAIM_SECONDS), GROUP)
        done: list[tuple[Due, list[Judged]]] = []
        for webhook in due:
            connected = self.connections.by_id.get(webhook.connection_id)
            if connected is None:
                await self._postpone(webhook, FetchFailed("the connection cannot be read", operator=True))
                continue
            results = judge_due(connected, webhook)
            if any(isinstance(result, Missing) for result in results):
                self._fetch_later(connected, webhook, results)
            else:
                done.append((webhook, [result for result in results if isinstance(result, Judged)]))
            await asyncio.sleep(0)  # intake shares this loop: never hold it for a whole group
        await self._settle(done)
        return len(due)

    async def settled(self) -> None:
        """Wait for what is being fetched right now (tests, command line)."""
        await asyncio.gather(*self._fetching)

    def _fetch_later(self, connected: Connected, webhook: Due, results: Sequence[Judged | Missing]) -> None:
        task = asyncio.create_task(self._fetch(connected, webhook, results))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _fetch(self, connected: Connected, webhook: Due, results: Sequence[Judged | Missing]) -> None:
        """Ask for what is missing, keep each answer, then translate what can be."""
        try:
            problems = await self._ask_all(connected, webhook, results)
            await self._translate(connected, webhook, problems)
        except Exception as error:  # the claim runs out and the webhook is due again
            log.exception("fetch_failed", connection=connected.id, webhook=webhook.id, problem=type(error).__name__)

    async def _ask_all(
        self, connected: Connected, webhook: Due, results: Sequence[Judged | Missing]
    ) -> dict[Need | None, FetchFailed]:
        problems: dict[Need | None, FetchFailed] = {}
        for need in {missing.need for missing in results if isinstance(missing, Missing) and missing.need}:
            try:
                async with self._slots:
                    answer = await self._ask(connected, need)
            except FetchFailed as error:
                problems[need] = error
            else:
                await self.database.write(webhooks.keep_answer, webhook, need.name, answer, _ms(self.clock()))
                webhook.answers[need.name] = answer
        return problems

    async def _ask(self, connected: Connected, need: Need) -> bytes:
        api = self.apis.get(connected.source.name)
        if api is None:
            raise FetchFailed(f"{connected.source.title} cannot be asked for {need.name}", operator=True)
        try:
            return await api.fetch(need, connected.settings, connected.secrets)
        except Unusable as error:
            raise FetchFailed(str(error), gone=True) from error

    async def _translate(self, connected: Connected, webhook: Due, problems: Mapping[Need | None, FetchFailed]) -> None:
        """What can be mapped is; the webhook is done when nothing is left that may still be answered."""
        judged: list[Judged] = []
        waiting: list[FetchFailed] = []
        for result in judge_due(connected, webhook):
            if isinstance(result, Judged):
                judged.append(result)
                continue
            problem = problems.get(result.need) or FetchFailed(result.reason, retry_after=60.0, operator=True)
            if self._hopeless(webhook, problem):
                judged.append(Judged(result.event, result.slug, "quarantined", str(problem)))
            else:
                waiting.append(problem)
        if not waiting:
            await self._settle([(webhook, judged)])
            return
        if None in await self.database.write(_keep_commands, webhook, judged, _ms(self.clock())):
            self.made()
        await self._postpone(webhook, waiting[0])

    def _hopeless(self, webhook: Due, problem: FetchFailed) -> bool:
        tried_enough = problem.gone and webhook.attempts >= NOT_FOUND_TRIES
        return tried_enough or expired(webhook.received_at, self.clock())

    async def _settle(self, done: Sequence[tuple[Due, Sequence[Judged]]]) -> None:
        if not done:
            return
        if await self.database.write(_settle, done, _ms(self.clock())):
            self.made()

    async def _postpone(self, webhook: Due, problem: FetchFailed) -> None:
        wait = problem.retry_after if problem.retry_after is not None else backoff(webhook.attempts)
        log.warning("webhook_postponed", connection=webhook.connection_id, webhook=webhook.id, reason=str(problem))
        await self.database.write(webhooks.postpone, webhook, _ms(self.clock() + wait), str(problem))


def judge_due(connected: Connected, webhook: Due) -> list[Judged | Missing]:
    """``judge`` for a stored webhook."""
    door = next((door for door in connected.source.doors if door.name == webhook.door), None)
    if door is None:
        return [Judged("", None, "quarantined", f"{connected.source.title} has no door {webhook.door} any more")]
    return judge(connected, door, webhook.body, webhook.answers, origin=webhook.origin)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _settle(connection: Connection, done: Sequence[tuple[Due, Sequence[Judged]]], now: int) -> int:
    """Says how many commands are new."""
    new, rows = 0, []
    for webhook, judged in done:
        befores = _keep_commands(connection, webhook, judged, now)
        new += befores.count(None)
        rows.append(_translated(webhook, judged, befores, now))
    webhooks.settle(connection, rows)
    return new


def _keep_commands(connection: Connection, webhook: Due, judged: Sequence[Judged], now: int) -> list[Before | None]:
    owner = webhook.connection_id
    rows = [
        Ordered(made.account_id, owner, webhook.id, _key(owner, made.stored), made.stored, made.backfill)
        for result in judged
        for made in result.commands
    ]
    return commands.store(connection, rows, now)


def _key(connection_id: str, stored: Stored) -> bytes:
    """Two stores on one account may both have an order 1001: the key is the connection's own."""
    return digest(connection_id, stored.key.hex())


def _translated(webhook: Due, judged: Sequence[Judged], befores: Sequence[Before | None], now: int) -> Translated:
    states = {result.state for result in judged}
    state = next((state for state in STATES if state in states), "ignored")
    events, own, left = [], 0, iter(befores)
    for result in judged:
        repeats = [
            _repeat(made.stored, before)
            for made, before in zip(result.commands, left, strict=False)
            if before is not None and before.webhook_id != webhook.id
        ]
        count = len(result.commands) - len(repeats)
        own += count
        events.append(
            {"event": result.event, "slug": result.slug, "state": result.state, "reason": result.reason,
             "notes": [*result.notes, *repeats], "commands": count}
        )  # fmt: skip
    return Translated(webhook.connection_id, webhook.id, state, orjson.dumps(events).decode(), own, now)


def _repeat(stored: Stored, before: Before) -> str:
    told = f"{stored.name} {stored.unique_id} is not sent again: webhook {before.webhook_id} said it before"
    return told if before.same else f"{told}, with other contents"


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
