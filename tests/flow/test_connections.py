"""The running process sees what others change, and says beforehand what will end."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from app.connections import Connections, connection_place
from app.security import SecretBox
from app.store import config
from app.store.engine import Database
from app.store.tables import connections
from tests.running import MASTER_KEY


async def test_a_change_of_another_process_is_seen_and_a_token_that_ends_soon_is_logged(database: Database) -> None:
    box = SecretBox((MASTER_KEY,))
    seen = Connections(database, box)
    stopping = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(seen.run(stopping))
        soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
        await database.write(
            config.add,
            connections,
            {
                "id": "shop", "platform": "centra", "account_id": None, "name": "Shop", "enabled": True,
                "settings": json.dumps({"base_currency": "SEK", "api_token_expires": soon}),
                "secrets": box.seal("{}", connection_place("shop")), "secret_ends": "{}",
                "created_at": 0, "updated_at": 0,
            },
        )  # fmt: skip
        async with asyncio.timeout(5):
            while "shop" not in seen.by_id:
                await asyncio.sleep(0.01)
        seen._warn(database.clock())
        stopping.set()
        seen.wake.set()
        await running
    told = next(entry for entry in logs if entry["event"] == "connection_warning")
    assert (told["connection"], told["warning"][:30]) == ("shop", "Centra's API token expires on ")
