"""A sandbox behind a real socket, with a clock that the tests set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.klaviyo.sandbox import Account, Key, create_sandbox, listen, server

NOON = 1795176000.0  # 2026-11-20T12:00:00Z

HEADERS = {
    "Authorization": "Klaviyo-API-Key pk_sandbox",
    "revision": "2026-10-15",
    "Content-Type": "application/vnd.api+json",
}


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Sandbox:
    url: str
    clock: Clock
    http: httpx.Client

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.http.post(path, json=body, headers=HEADERS | headers)

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.http.get(path, params=parameters or None, headers=HEADERS)

    def ledger(self, kind: str) -> dict[str, object]:
        answer = self.http.get("/sandbox/ledger", params={"kind": kind})
        assert answer.status_code == 200
        content = answer.json()
        assert isinstance(content, dict)
        return content

    def fault(self, action: dict[str, object], **rule: object) -> None:
        assert self.http.post("/sandbox/faults", json=[{"action": action, **rule}]).status_code == 200


@dataclass
class Stage:
    """One server for all tests; each test puts a sandbox of its own on it."""

    url: str
    http: httpx.Client
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    opened, url = listen()
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as http:
        built = Stage(url, http, create_sandbox())
        running = server(built)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [opened]})
        thread.start()
        yield built
    running.should_exit = True
    thread.join()


@pytest.fixture
def play(stage: Stage) -> Callable[..., Sandbox]:
    """Start a sandbox with these accounts and keys."""

    def start(accounts: tuple[Account, ...] = (), keys: tuple[Key, ...] = ()) -> Sandbox:
        clock = Clock()
        stage.app = create_sandbox(accounts=accounts, keys=keys, clock=clock)
        return Sandbox(stage.url, clock, stage.http)

    return start


@pytest.fixture
def sandbox(play: Callable[..., Sandbox]) -> Sandbox:
    return play()


def faults_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """The code and the pointer (or parameter) of each error."""
    return [
        (error["code"], error["source"].get("pointer", error["source"].get("parameter")))
        for error in answer.json()["errors"]
    ]
