"""A made-up platform, small enough to read at once: the parts between door and Klaviyo are tested with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired

import orjson
from pydantic import SecretStr
from typing_extensions import TypedDict

from app.connections import Connected
from app.errors import FetchFailed, Unauthorized, Unusable
from app.klaviyo.commands import Command, Note, Profile, Track
from app.mappers.source import Checked, ConnectionSecrets, ConnectionSettings, Door, Event, Need, Source, on

TOKEN = "shop-token-of-the-tests"


class ShopSettings(ConnectionSettings):
    prefix: str = ""
    broken: bool = False


class ShopSecrets(ConnectionSecrets):
    token: SecretStr | None = None


class Sale(TypedDict):
    id: str
    email: str
    market: NotRequired[str]


def sold(sale: Sale, settings: ShopSettings) -> Iterator[Command | Note]:
    if settings.broken:
        raise RuntimeError("a mapper's fault")
    if sale["email"] == "nobody":
        yield Note("nobody bought this")
        return
    yield Track(
        Profile(email=sale["email"]), "Sold", {"Id": settings.prefix + sale["id"]},
        datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC), unique_id=sale["id"],
    )  # fmt: skip


def need(body: object) -> Need:
    assert isinstance(body, dict)
    return Need("sale", str(body["id"]))


def verify(headers: Mapping[bytes, bytes], raw: bytes, secrets: Mapping[str, str], settings: Any, now: float) -> None:
    if headers.get(b"x-token") != secrets["token"].encode():
        raise Unauthorized("wrong token")


def markets(sale: object) -> tuple[str, ...]:
    return (f"market:{sale['market']}",) if isinstance(sale, dict) and "market" in sale else ()


def events(raw: bytes) -> Sequence[Event]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Unusable(f"this is not JSON: {error}") from error
    return [Event(item.get("event", ""), item) for item in (body if isinstance(body, list) else [body])]


class Api:
    """The shop's API: ``answers`` by id; what is an exception is raised."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.asked: list[str] = []

    async def fetch(self, need: Need, settings: Any, secrets: Mapping[str, str]) -> bytes:
        self.asked.append(need.id)
        answer = self.answers.get(need.id, FetchFailed("the shop's API is away"))
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()

    async def check(self, settings: Any, secrets: Mapping[str, str]) -> Checked:
        raise NotImplementedError


def source() -> Source[ShopSettings]:
    return Source(
        name="shop",
        title="Shop",
        settings=ShopSettings,
        secrets=ShopSecrets,
        doors=(
            Door(
                name="events", path="/webhooks/shop/{connection}", secrets=("token",), verify=verify, events=events,
                content_type="application/json", examples=(), schema={}, summary="Sales", body=b"ok", max_bytes=10_000,
            ),
        ),
        table={"sold": on("sold", Sale, sold), "sold_thin": on("sold_thin", Sale, sold, need=need)},
        ignored={"viewed": "views are not for Klaviyo"},
        scopes_of=markets,
    )  # fmt: skip


def connected(*, account: str | None = "main", **settings: object) -> Connected:
    return Connected("shop-1", source(), account, True, {"token": TOKEN}, settings, {})
