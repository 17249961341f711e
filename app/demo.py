"""``gateway demo``: everything on this machine, so that a newcomer sees a webhook become a Klaviyo event.

A sandbox Klaviyo, a stand-in Centra and the gateway listen on loopback; the demo sets the gateway up through its REST
API and posts signed webhooks over HTTP, exactly as a platform would. Its database is thrown away at the end.
"""

from __future__ import annotations

import asyncio
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
from app.klaviyo.sandbox.app import create_sandbox
from app.klaviyo.sandbox.world import DEFAULT_KEY
from app.main import create_app
from app.mappers.centra.sandbox import create_stand_in, form, sign
from app.mappers.centra.sandbox.server import DEMO_TOKEN
from app.mappers.registry import platform
from app.migrate import upgrade
from app.security import new_key, new_master_key
from app.settings import Settings
from app.store import config
from app.store.engine import Database
from app.telemetry import configure

SECRET = "demo-endpoint-secret"  # noqa: S105 opens nothing but this demo
CONNECTION = "demo-shop"
PATIENCE_SECONDS = 20.0
# The story the stand-in shop tells: each step is a route of the stand-in, and what Centra would announce then.
STORY: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("an order is placed", "/stand-in/orders", {}),
    ("it is confirmed", "/stand-in/orders/{order}/confirm", None),
    ("it is shipped", "/stand-in/orders/{order}/ship", None),
    ("one piece comes back and is refunded", "/stand-in/orders/{order}/return", None),
    ("the customer makes an account", "/stand-in/customers/880101/register", None),
)

console = Console(highlight=False)


def run(port: int) -> None:
    """Tell the story, then stay up until Ctrl-C."""
    configure(human=True)
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="gateway-demo-") as folder:
        asyncio.run(_demo(port, Path(folder)))


async def _demo(port: int, folder: Path) -> None:
    async with listening(create_sandbox(), port and port + 1) as klaviyo, listening(create_stand_in(), 0) as centra:
        settings = Settings(data_dir=folder, master_key=SecretStr(new_master_key()), klaviyo_url=klaviyo)
        key = _first_key(settings)
        async with listening(create_app(settings), port) as gateway, http.create_client() as client:
            shop = Shop(client, gateway, centra, klaviyo, key)
            await shop.connect()
            watching = asyncio.create_task(shop.watch())
            await shop.tell()
            await shop.quiet()
            console.print(
                f"\n[bold]Klaviyo received {shop.received} events[/bold] from {shop.posted} webhooks "
                f"in {time.monotonic() - shop.started:.1f} s. Everything stays up; Ctrl-C ends it.\n"
                f"  docs of the REST API   {gateway}/docs\n"
                f"  a key for it (admin)   {key}\n"
                f"  the sandbox's ledger   {klaviyo}/sandbox/ledger?kind=events\n"
            )
            await watching


@asynccontextmanager
async def listening(app: ASGIApp, port: int) -> AsyncIterator[str]:
    """Serve ``app`` on ``port``, or on a free one when that is taken; gives its URL."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    server = _Server(settings)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Ctrl-C is the demo's, not each server's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _first_key(settings: Settings) -> str:
    database, key = Database(settings.url), new_key()
    upgrade(database)
    database.write_now(config.add_key, key.row("demo", "admin", days=1, now=int(time.time() * 1000)))
    database.close()
    return key.text


@dataclass
class Shop:
    """The demo's merchant: connects, posts webhooks, and watches what Klaviyo gets."""

    client: http.Client
    gateway: str
    centra: str
    klaviyo: str
    key: str
    posted: int = 0
    received: int = 0
    started: float = field(default_factory=time.monotonic)

    async def connect(self) -> None:
        """An account and a connection, through the REST API as an operator would."""
        console.print("[bold]Setting up[/bold] through the REST API: a Klaviyo account and a Centra connection")
        await self._api(
            "/api/accounts", {"id": "demo", "name": "Demo", "public_key": "SANDBX", "private_key": DEFAULT_KEY}
        )
        await self._api(
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
        console.print("\n[bold]Centra announces[/bold] (ids only; the gateway asks Centra for the rest)")
        order = 0
        for what, path, body in STORY:
            answer = await self._post(self.centra + path.format(order=order), orjson.dumps(body), {})
            events = orjson.loads(answer.body)["events"]
            order = order or events[0]["id"]
            await self._webhook(f"/webhooks/centra/{CONNECTION}", form(events), what)
        console.print("\n[bold]The shop sends[/bold] what Centra cannot push (the signed events door)")
        source = platform("centra")
        door = next(door for door in source.doors if door.name == "events") if source else None
        for example in door.examples if door else ():
            await self._webhook(f"/webhooks/centra/{CONNECTION}/events", orjson.dumps(example.body), example.title)

    async def quiet(self) -> None:
        """Until nothing waits any more."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            stats = orjson.loads((await self._get(f"{self.gateway}/api/stats")).body)
            if (
                not stats["webhooks"]["waiting"]
                and not stats["commands"]["pending"]
                and not stats["commands"]["sending"]
            ):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)

    async def watch(self) -> None:
        """Print every event that Klaviyo got, as it comes."""
        while True:
            ledger = await self._get(f"{self.klaviyo}/sandbox/ledger?kind=events&offset={self.received}")
            for entry in orjson.loads(ledger.body)["items"]:
                self.received += 1
                amount = f"  {entry['value']} {entry['value_currency']}" if entry.get("value") is not None else ""
                console.print(f"  [green]Klaviyo received[/green] {entry['metric']}  {entry['email']}{amount}")
            await asyncio.sleep(0.2)

    async def _webhook(self, path: str, raw: bytes, what: str) -> None:
        began = time.monotonic()
        answer = await self._post(self.gateway + path, raw, {"x-centra-signature": sign(raw, SECRET, time.time())})
        self.posted += 1
        took = (time.monotonic() - began) * 1000
        console.print(f"→ POST {path}  {what}  [cyan]{answer.status}[/cyan] in {took:.0f} ms")
        await asyncio.sleep(0.3)

    async def _api(self, path: str, body: Mapping[str, Any]) -> None:
        answer = await self._post(self.gateway + path, orjson.dumps(body), self._bearer())
        if answer.status != 201:
            raise SystemExit(f"{path} answered {answer.status}: {answer.body.decode()}")

    async def _get(self, url: str) -> http.Answer:
        return await http.send(self.client, "GET", url, headers=self._bearer())

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> http.Answer:
        return await http.send(
            self.client, "POST", url, headers={"content-type": "application/json", **headers}, content=body
        )

    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}
