"""Fetches from Centra what a thin webhook leaves out: the order, shipment, return or customer whose id it carries."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

import orjson

from app import http
from app.errors import FetchFailed, Unusable
from app.mappers.centra.graphql import NEW_TOKEN, Environment, GraphQL, PermissionsMissing, Record
from app.mappers.source import Need

WARNING_DAYS = 7

_CACHE_SECONDS = 3600.0
_CACHE_SIZE = 5_000
_PAGE = 200  # Centra: limit must be in range 1 - 200
_LARGEST_ID = 2**31 - 1  # GraphQL: Int


class Settings(Protocol):
    """What is read of a connection's settings."""

    @property
    def base_url(self) -> str | None: ...
    @property
    def product_image_size(self) -> str: ...
    @property
    def api_token_expires(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """What a connection test found. Without ``problems`` everything an event needs can be fetched.

    ``left_out`` is what Centra said of optional fields it refuses: events go out without them.
    """

    problems: tuple[str, ...]
    missing_permissions: tuple[str, ...]
    permissions_used: tuple[str, ...]
    left_out: tuple[str, ...]
    token_warning: str | None


class CentraApi:
    """Every connected Centra. ``fetch`` is the platform's ``Fetch``; the rest is as ``GraphQL`` takes it."""

    def __init__(
        self,
        client: http.Client,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        deadline: float = http.DEADLINE_SECONDS,
    ) -> None:
        self._graphql = GraphQL(client, clock=clock, monotonic=monotonic, sleep=sleep, deadline=deadline)
        self._clock = clock
        self._monotonic = monotonic
        self._displays: OrderedDict[tuple[str, str, int], tuple[float, Record]] = OrderedDict()

    async def fetch(self, need: Need, settings: Settings, secrets: Mapping[str, str]) -> bytes:
        """The JSON a mapper reads. Raises ``FetchFailed`` (later, perhaps after a person helped) and ``Unusable``.

        ``order`` by number: ``{"order", "displayItems", "baseCurrency"}``, the last only where Centra tells it.
        ``shipment`` and ``return`` by id: ``"shipment"`` or ``"return"`` beside those. ``customer``: ``{"customer"}``.
        """
        environment = _environment(settings, secrets)
        size = settings.product_image_size
        number = _number(need)
        match need.what:
            case "order":
                found = await self._order(environment, size, number)
            case "shipment" | "return":
                record = await self._one(environment, need.what, number)
                found = {need.what: record} | await self._order(environment, size, _order_number(need, record))
            case "customer":
                found = {"customer": await self._one(environment, "customer", number)}
            case _:
                raise Unusable(f"there is no {need.what!r} to ask Centra for")
        return orjson.dumps(found)

    async def check(self, settings: Settings, secrets: Mapping[str, str]) -> Check:
        """Asks for one of everything, for an operator's connection test; every fault is in the answer."""
        warning = token_warning(settings.api_token_expires, self._clock())
        try:
            environment = _environment(settings, secrets)
        except FetchFailed as error:
            return Check((str(error),), (), (), (), warning)
        self._graphql.ask_all_again(environment)
        problem: FetchFailed | None = None
        used: tuple[str, ...] = ()
        try:
            used = (await self._graphql.ask(environment, "Check", size=settings.product_image_size)).permissions_used
        except FetchFailed as error:
            problem = error
        return Check(
            problems=(str(problem),) if problem else (),
            missing_permissions=problem.missing if isinstance(problem, PermissionsMissing) else (),
            permissions_used=used,
            left_out=self._graphql.left_out(environment),
            token_warning=warning,
        )

    async def _one(self, environment: Environment, what: str, number: int) -> Record:
        answer = await self._graphql.ask(environment, what.capitalize(), id=number)
        records = answer.data.get(f"{what}s")
        if not records:
            raise Unusable(f"Centra knows no {what} {number}, or the API token may not see it")
        return records[0]

    async def _order(self, environment: Environment, size: str, number: int) -> Record:
        data = (await self._graphql.ask(environment, "Order", number=number)).data
        orders = data.get("orders")
        if not orders:
            raise Unusable(f"Centra knows no order {number}, or the API token may not see it")
        found: Record = {"order": orders[0], "displayItems": await self._display_items(environment, size, orders[0])}
        if currencies := data.get("baseCurrency"):
            found["baseCurrency"] = currencies[0].get("code")
        return found

    async def _display_items(self, environment: Environment, size: str, order: Record) -> list[Record]:
        """The display items of an order's lines, in their order, in one question; those Centra has not are left out."""
        wanted = _display_ids(order)
        now = self._monotonic()
        known = {}
        for item in wanted:
            kept_until, record = self._displays.get((environment.url, size, item), (now, {}))
            if now < kept_until:
                known[item] = record
                self._displays.move_to_end((environment.url, size, item))
        unknown = [item for item in wanted if item not in known]
        for start in range(0, len(unknown), _PAGE):
            page = unknown[start : start + _PAGE]
            answer = await self._graphql.ask(environment, "DisplayItems", ids=page, size=size)
            for record in answer.data.get("displayItems") or ():
                if isinstance(shown := record.get("id"), int):
                    known[shown] = record
                    self._displays[environment.url, size, shown] = (now + _CACHE_SECONDS, record)
        while len(self._displays) > _CACHE_SIZE:
            self._displays.popitem(last=False)
        return [known[item] for item in wanted if item in known]


def token_warning(expires: date | None, now: float) -> str | None:
    """A text from seven days before the API token's last day on. ``now`` in epoch seconds.

    Centra's API does not tell when a token expires (by default 30 days after it was made), so an operator notes it.
    """
    if expires is None:
        return None
    left = (expires - datetime.fromtimestamp(now, UTC).date()).days
    if left > WARNING_DAYS:
        return None
    when = f"expired on {expires}" if left < 0 else f"expires on {expires} (days left: {left})"
    return f"Centra's API token {when}. {NEW_TOKEN}"


def _environment(settings: Settings, secrets: Mapping[str, str]) -> Environment:
    if not settings.base_url:
        raise FetchFailed("base_url is not set: where Centra's Integration API lives is not known", operator=True)
    token = secrets.get("api_token")
    if not token:
        raise FetchFailed(f"Centra's API token is not set. {NEW_TOKEN}", operator=True)
    return Environment(settings.base_url.rstrip("/"), token)


def _number(need: Need) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", need.id) or int(need.id) > _LARGEST_ID:
        raise Unusable(f"{need.id[:40]!r} is not the number of a Centra {need.what}")
    return int(need.id)


def _order_number(need: Need, record: Record) -> int:
    """The order that a shipment or return belongs to; a shipment's own number begins with it (``39790-1``)."""
    order = record.get("order")
    number = order.get("number") if isinstance(order, dict) else str(record.get("number")).partition("-")[0]
    if not re.fullmatch(r"[0-9]{1,10}", str(number)):
        raise Unusable(f"{need.what} {need.id} belongs to no direct-to-consumer order")
    return int(str(number))


def _display_ids(order: Record) -> list[int]:
    """``frontendItemId`` is the display item's id, or ``<display item>-<product size>``."""
    lines = order.get("lines")
    items = [line.get("frontendItemId") for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    found = (re.match(r"[0-9]{1,10}(?=-|$)", str(item)) for item in items)
    return list(dict.fromkeys(int(match[0]) for match in found if match))
