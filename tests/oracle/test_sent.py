"""What really goes over the wire in the demo's whole story, read on its way into the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app import http
from app.demo import Shop, first_key, listening
from app.klaviyo.client import Klaviyo
from app.klaviyo.sandbox.app import create_sandbox
from app.klaviyo.sandbox.world import DEFAULT_KEY
from app.main import create_app
from app.mappers.centra.sandbox import create_stand_in
from app.settings import Settings
from tests.oracle.contract import TALLY
from tests.oracle.watch import Watched
from tests.running import MASTER_KEY


@pytest.fixture
async def klaviyo_url() -> AsyncIterator[str]:
    async with listening(Watched(create_sandbox()), 0) as url:
        yield url


async def test_every_body_of_the_story_is_described(tmp_path: Path, klaviyo_url: str) -> None:
    settings = Settings(data_dir=tmp_path, master_key=SecretStr(MASTER_KEY), klaviyo_url=klaviyo_url)
    key, before = first_key(settings), TALLY.checked
    async with (
        listening(create_stand_in(), 0) as centra,
        listening(create_app(settings), 0) as gateway,
        http.create_client() as client,
    ):
        shop = Shop(client, gateway, centra, klaviyo_url, key)
        await shop.connect()
        await shop.tell()
        stats = await shop.get(f"{gateway}/api/stats")
        assert stats["commands"]["accepted"] == stats["commands"]["commands"] > 0
        assert stats["webhooks"]["quarantined"] == stats["webhooks"]["waiting"] == 0
    assert TALLY.checked > before + shop.received  # seen twice: as delivery built it, and on the wire


async def test_the_trial_of_a_keys_scopes_is_no_payload(klaviyo_url: str) -> None:
    before = TALLY.checked
    async with http.create_client() as client:
        klaviyo = Klaviyo(client, klaviyo_url)
        assert await klaviyo.missing_scopes(DEFAULT_KEY, await klaviyo.account(DEFAULT_KEY)) == []
    assert TALLY.checked == before


async def test_a_body_that_klaviyo_does_not_describe_is_noted(klaviyo_url: str) -> None:
    async with http.create_client() as client:
        reply = await Klaviyo(client, klaviyo_url).send(DEFAULT_KEY, "/api/events", b'{"data":{"type":"events"}}')
    assert reply.status == 400
    assert TALLY.broken.pop().startswith("POST /api/events: SDK: data/type")
