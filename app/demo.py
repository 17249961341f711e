"""``gateway demo``: everything on this machine, so that a newcomer sees a webhook become a Klaviyo event.

A sandbox Klaviyo, a stand-in Centra and the gateway listen on loopback; the demo sets the gateway up through its REST
API and posts signed webhooks over HTTP, exactly as a platform would. Its database is thrown away at the end.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from pydantic import SecretStr
from rich.console import Console
from starlette.types import ASGIApp

from app import http
from app.errors import GatewayError
from app.klaviyo.sandbox.app import create_sandbox
from app.klaviyo.sandbox.world import DEFAULT_KEY
from app.main import create_app
from app.mappers.centra.sandbox import create_stand_in, form, sign
from app.mappers.centra.sandbox.server import DEMO_TOKEN
from app.mappers.registry import platform
from app.migrate import opened
from app.security import new_key, new_master_key
from app.settings import Settings
from app.store import config
from app.telemetry import configure

SECRET = "demo-endpoint-secret"  # noqa: S105 opens nothing but this demo
CONNECTION = "demo-shop"
MOST_LOOKS = 150  # about 5 s for one webhook; one that still waits then is shown as waiting
# The story the stand-in shop tells: each step is a route of the stand-in, and what Centra would announce then.
STORY: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("an order is placed", "/stand-in/orders", {}),
    ("it is confirmed", "/stand-in/orders/{order}/confirm", None),
    ("it is shipped", "/stand-in/orders/{order}/ship", None),
    ("one piece comes back and is refunded", "/stand-in/orders/{order}/return", None),
    ("the customer makes an account", "/stand-in/customers/880101/register", None),
)

console = Console(highlight=False, soft_wrap=True)


def run(port: int) -> None:
    """Tell the story, then stay up until Ctrl-C or SIGTERM."""
    configure(human=True, level=logging.ERROR)
    with suppress(asyncio.CancelledError), tempfile.TemporaryDirectory(prefix="gateway-demo-") as folder:
        asyncio.run(_demo(port, Path(folder)))
    console.print("Stopped; the demo's database is thrown away.")


async def _demo(port: int, folder: Path) -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, _current_task().cancel)
    async with listening(create_sandbox(), port and port + 1) as klaviyo, listening(create_stand_in(), 0) as centra:
        settings = Settings(data_dir=folder, master_key=SecretStr(new_master_key()), klaviyo_url=klaviyo)
        key = first_key(settings)
        async with listening(create_app(settings), port) as gateway, http.create_client() as client:
            shop = Shop(client, gateway, centra, klaviyo, key)
            await shop.connect()
            await shop.tell()
            console.print(
                f"\n[bold]Klaviyo received {shop.received} events[/bold] from {shop.posted} webhooks "
                f"in {time.monotonic() - shop.started:.1f} s. Everything stays up; Ctrl-C ends it.\n"
                f"  docs of the REST API   {gateway}/docs\n"
                f"  a key for it (admin)   {key}\n"
                f"  the sandbox's ledger   {klaviyo}/sandbox/ledger?kind=events\n"
            )
            while True:  # whatever the newcomer posts now is shown as well
                await shop.show_received()
                await asyncio.sleep(0.2)


def _current_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 always there inside a coroutine
    return task


@asynccontextmanager
async def listening(app: ASGIApp, port: int) -> AsyncIterator[str]:
    """Serve ``app`` on ``port``, or on a free one when that is taken; gives its URL."""
    with _open(port) as listener:
        server = _Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            if serving.done():
                raise GatewayError("a part of the demo did not start; its log says why")
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _open(port: int) -> socket.socket:
    # Named as TCP, or asyncio does not switch Nagle's algorithm off and every answer with a body takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except (OSError, OverflowError):  # taken, reserved, or one beyond the last
        listener.close()
        listener = _open(0)
        console.print(f"Port {port} is not free; using {listener.getsockname()[1]} instead.")
    return listener


class _Server(uvicorn.Server):
    """Ctrl-C is the demo's, not each server's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def first_key(settings: Settings) -> str:
    """An admin key, put into a fresh database before the gateway opens it."""
    database, key = opened(settings.url), new_key()
    database.write_now(config.add_key, key.row("demo", "admin", days=1, now=int(time.time() * 1000)))
    database.close_now()
    return key.text


@dataclass
class Shop:
    """The demo's merchant: connects, posts webhooks, and looks at what Klaviyo got."""

    client: http.Client
    gateway: str
    centra: str
    klaviyo: str
    key: str
    posted: int = 0
    received: int = 0
    consents: int = 0
    started: float = field(default_factory=time.monotonic)

    async def connect(self) -> None:
        """An account and a connection, through the REST API as an operator would."""
        console.print("[bold]Setting up[/bold] through the REST API: a Klaviyo account and a Centra connection")
        await self._create(
            "/api/accounts", {"id": "demo", "name": "Demo", "public_key": "SANDBX", "private_key": DEFAULT_KEY}
        )
        await self._create(
            "/api/connections",
            {
                "id": CONNECTION, "platform": "centra", "name": "Demo shop", "account": "demo",
                "settings": {
                    "base_url": self.centra, "base_currency": "SEK", "timezone": "Europe/Stockholm",
                    "rates": {"EUR": "11.2", "NOK": "0.96"}, "newsletter_list_id": "NEWS01",
                    "cart_link": "https://shop.example.com/cart/{selection}",
                    "product_page_url": "https://shop.example.com/p/{display_uri}",
                },
                "secrets": {"endpoint_secret": SECRET, "api_token": DEMO_TOKEN},
            },
        )  # fmt: skip

    async def tell(self) -> None:
        """First what Centra announces with ids alone, then what it cannot push."""
        source = platform("centra")
        thin, full = (f"/webhooks/centra/{CONNECTION}", f"/webhooks/centra/{CONNECTION}/events")
        console.print(f"\n[bold]Centra announces[/bold] at {thin}: ids only, the gateway asks Centra for the rest")
        order = 0
        for what, path, body in STORY:
            events = (await self._post(self.centra + path.format(order=order), orjson.dumps(body), {}))["events"]
            order = order or events[0]["id"]
            await self._webhook(thin, form(events), what)
        console.print(f"\n[bold]The shop sends[/bold] to {full}: what Centra cannot push, signed alike")
        for door in source.doors if source else ():
            for example in door.examples if door.path.endswith("/events") else ():
                await self._webhook(full, orjson.dumps(example.body), example.title)

    async def show_received(self) -> bool:
        """Print what Klaviyo got since the last look, if anything."""
        known = self.received + self.consents
        for event in await self._ledger("events", self.received):
            self.received += 1
            value, currency = event["value"], event["value_currency"]
            amount = "" if value is None else f"{value:,.2f} {currency or ''}"
            who = event["email"] or event["phone_number"] or event["external_id"]
            console.print(f"   [green]Klaviyo ←[/green] {event['metric']:<39} {who:<30} {amount:>14}".rstrip())
        for change in await self._ledger("subscriptions", self.consents):
            self.consents += 1
            what, who = f"{change['consent'].lower()} {change['channel']}", change["email"] or change["phone_number"]
            console.print(f"   [green]Klaviyo ←[/green] {what:<39} {who}")
        return self.received + self.consents > known

    async def _webhook(self, path: str, raw: bytes, what: str) -> None:
        """Post a webhook as Centra would, and show what comes of it."""
        began = time.monotonic()
        headers = {"x-centra-signature": sign(raw, SECRET, time.time())}
        answer = await http.send(self.client, "POST", self.gateway + path, headers=headers, content=raw)
        took = (time.monotonic() - began) * 1000
        self.posted += 1
        console.print(f"[cyan]→ {answer.status}[/cyan] {what} [dim]({took:.0f} ms)[/dim]")
        for _ in range(MOST_LOOKS):
            if not await self._busy():
                break
            await asyncio.sleep(0.03)
        news = await self.show_received()
        webhook = (await self.get(f"{self.gateway}/api/webhooks?limit=1"))["items"][0]
        if webhook["state"] == "mapped" and not news:
            console.print("   [dim]nothing new: Klaviyo was told before[/dim]")
        if webhook["state"] == "waiting":
            console.print(f"   [yellow]waiting[/yellow]   {webhook['problem']}")
        for event in webhook["events"]:
            if event["state"] != "mapped":
                console.print(f"   [yellow]{event['state']}[/yellow]   {event['event']}: {event['reason']}")

    async def _busy(self) -> bool:
        stats = await self.get(f"{self.gateway}/api/stats")
        return bool(stats["webhooks"]["waiting"] or stats["commands"]["pending"] or stats["commands"]["sending"])

    async def _ledger(self, kind: str, known: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(f"{self.klaviyo}/sandbox/ledger?kind={kind}&offset={known}"))[
            "items"
        ]
        return found

    async def _create(self, path: str, body: Mapping[str, Any]) -> None:
        await self._post(self.gateway + path, orjson.dumps(body), self._bearer())

    async def get(self, url: str) -> Any:
        """What this URL answers, asked with the key."""
        return _read(url, await http.send(self.client, "GET", url, headers=self._bearer()))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Any:
        headers = {"content-type": "application/json", **headers}
        return _read(url, await http.send(self.client, "POST", url, headers=headers, content=body))

    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


def _read(url: str, answer: http.Answer) -> Any:
    if answer.status not in (200, 201):
        raise GatewayError(f"{url} answered {answer.status}: {answer.body.decode(errors='replace')}")
    return orjson.loads(answer.body)
