"""A running gateway for the REST API: a real database file, keys of every role, a client that checks each answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp

from app.intake import FrontDoor
from app.klaviyo.sandbox import Key, create_sandbox, listen, server
from app.main import Gateway, create_app
from app.mappers.centra.sandbox import create_stand_in, sign
from app.security import new_key
from app.settings import Settings
from app.store import config
from tests.api.contract import keeps_its_promise
from tests.running import MASTER_KEY

ROLES = ("viewer", "operator", "admin")
NOWHERE = "http://127.0.0.1:9"
ACCOUNT = {"id": "main", "name": "Main", "public_key": "SANDBX", "private_key": "pk_sandbox"}
LIMITED = Key("pk_limited_of_the_tests", "SANDBX", frozenset({"accounts:read", "events:write"}))
BLIND = Key("pk_blind_of_the_tests", "SANDBX", frozenset({"events:write", "profiles:write"}))
KEYS = (LIMITED, BLIND)
SECRET = "endpoint-secret-of-the-tests"
CONNECTION = {
    "id": "shop", "platform": "centra", "name": "Shop", "account": "main",
    "settings": {"base_currency": "SEK", "rates": {"EUR": "11.4"}},
    "secrets": {"endpoint_secret": SECRET},
}  # fmt: skip


@dataclass
class Office:
    """The gateway as its operators reach it."""

    app: ASGIApp
    gateway: Gateway
    http: httpx.AsyncClient
    keys: dict[str, str]
    file: Path

    async def call(
        self, method: str, path: str, body: object = None, *, role: str = "admin", raw: bytes | None = None,
        **headers: str,
    ) -> httpx.Response:  # fmt: skip
        """One request; ``raw`` sends exactly these bytes. Whatever comes back is held against the description."""
        sent = {"authorization": f"Bearer {self.keys[role]}"} if role else {}
        content = raw if raw is not None or body is None else json.dumps(body).encode()
        if content is not None:
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.request(method, path, content=content, headers=sent)
        keeps_its_promise(answer)
        return answer

    async def ask(self, method: str, path: str, body: object = None, status: int = 200, role: str = "admin") -> Any:
        """As ``call``, for the content of an answer whose status is known."""
        answer = await self.call(method, path, body, role=role)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def faults(self, method: str, path: str, body: object) -> dict[str, str]:
        """The pointers (or parameters) of a refusal, with what it says about each."""
        answer = await self.call(method, path, body)
        assert answer.status_code == 422, answer.text
        return {fault.get("pointer", fault.get("parameter")): fault["detail"] for fault in answer.json()["errors"]}

    async def post_webhook(self, raw: bytes, connection: str = "shop", secret: str = SECRET) -> httpx.Response:
        """A signed webhook of Centra's events door, through the front door."""
        headers = {"x-centra-signature": sign(raw, secret, time.time()), "content-type": "application/json"}
        return await self.http.post(f"/webhooks/centra/{connection}/events", content=raw, headers=headers)

    async def translate(self) -> None:
        """What the translating worker would do now."""
        await self.gateway.connections.refresh()
        while await self.gateway.translator.step():
            await self.gateway.translator.settled()

    async def set_up(self, **account: str) -> None:
        """An account and a connection of it."""
        await self.ask("POST", "/api/accounts", ACCOUNT | account, 201)
        await self.ask("POST", "/api/connections", CONNECTION, 201)


Opening = Callable[..., AbstractAsyncContextManager[Office]]


@pytest.fixture
def open_office(tmp_path: Path) -> Opening:
    @asynccontextmanager
    async def opened(
        klaviyo_url: str = NOWHERE, master_key: str = MASTER_KEY, public_url: str = ""
    ) -> AsyncIterator[Office]:
        made = Settings(
            data_dir=tmp_path, master_key=SecretStr(master_key), klaviyo_url=klaviyo_url, public_url=public_url
        )
        front = create_app(made, work=False, lost_key=master_key != MASTER_KEY)
        api = cast(FastAPI, cast(FrontDoor, front)._app)
        gateway: Gateway = api.state.gateway
        transport = httpx.ASGITransport(front)
        async with (
            api.router.lifespan_context(api),
            httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client,
        ):
            keys = {}
            for role in ROLES:
                made_key = new_key()
                row = made_key.row(role, role, days=1, now=int(time.time() * 1000))
                await gateway.database.write(config.add_key, row)
                keys[role] = made_key.text
            yield Office(front, gateway, client, keys, tmp_path / "gateway.db")

    return opened


@pytest.fixture
async def office(open_office: Opening) -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an outside part behind a real socket; gives its URL."""
    opened, url = listen()
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        yield url
    finally:
        running.should_exit = True
        thread.join()


@pytest.fixture
def klaviyo() -> Iterator[str]:
    """The URL of a sandbox Klaviyo behind a real socket, its rate limits out of the way."""
    with serving(create_sandbox(keys=KEYS, scale=1e6)) as url:
        yield url


@pytest.fixture
def centra() -> Iterator[str]:
    """The URL of a stand-in Centra."""
    with serving(create_stand_in()) as url:
        yield url
