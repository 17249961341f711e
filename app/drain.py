"""The story of a webhook that came while PostgreSQL was away: from this node's spool into the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from app.store import webhooks
from app.store.engine import Database
from app.store.spool import Spool
from app.telemetry import log

ROWS = 500
IDLE_SECONDS = 1.0


@dataclass
class Drain:
    """Moves what is in the spool until stopped. Set ``wake`` whenever something was put there."""

    database: Database
    spool: Spool
    stored: Callable[[], None]
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stopping: asyncio.Event) -> None:
        """Try once a second while the database is away, and go on at once while it takes everything."""
        while not stopping.is_set():
            self.wake.clear()
            try:
                moved = await self.step()
            except Exception as error:  # still away
                log.warning("spool_waits", problem=type(error).__name__, webhooks=await self.spool.waiting())
                moved = 0
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), IDLE_SECONDS)
            if not moved:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), IDLE_SECONDS)
        await self.spool.close()

    async def step(self) -> int:
        """Move the oldest few hundred; says how many."""
        last, rows = await self.spool.oldest(ROWS)
        if rows:
            await self.database.write(webhooks.store, rows)
            await self.spool.forget(last)
            self.stored()
        return len(rows)
