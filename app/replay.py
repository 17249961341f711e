"""``gateway replay``: translate stored webhooks once more, as ``POST /api/webhooks/replay`` does.

A running gateway owns its database, so then the command goes through its REST API; otherwise straight to the file.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import orjson
from rich.progress import track

from app import http
from app.errors import GatewayError, Malformed, NotFound
from app.store import webhooks
from app.store.engine import Database
from app.store.ids import RANDOM_BITS

PAGE = 100
STATES = ("quarantined", "unknown", "ignored", "mapped")


class Webhook(NamedTuple):
    """Which webhook."""

    connection: str
    id: int


class Stock(Protocol):
    """Where the webhooks lie."""

    async def find(self, webhook_id: int) -> Webhook | None: ...
    async def page(self, state: str, connection: str | None, before: int | None) -> Sequence[Webhook]:
        """At most ``PAGE``, newest first; fewer mean that there are no more."""

    async def again(self, connection: str, ids: Sequence[int]) -> int:
        """Says how many are translated again."""


class InFile:
    """The database itself, which no gateway serves meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, webhook_id: int) -> Webhook | None:
        found = await self._database.read(webhooks.find, webhook_id)
        return None if found is None else Webhook(str(found[0].connection_id), webhook_id)

    async def page(self, state: str, connection: str | None, before: int | None) -> Sequence[Webhook]:
        rows = await self._database.read(
            webhooks.page, connection_id=connection, state=state, before=before, limit=PAGE
        )
        return [Webhook(str(row.connection_id), row.id) for row in rows]

    async def again(self, connection: str, ids: Sequence[int]) -> int:
        return await self._database.write(webhooks.again, connection, ids, int(time.time() * 1000))


class OverRest:
    """A running gateway's REST API; ``key`` needs the role operator."""

    def __init__(self, client: http.Client, url: str, key: str) -> None:
        self._client, self._gateway, self._key = client, url.rstrip("/"), key
        self._url = self._gateway + "/api/webhooks"

    async def find(self, webhook_id: int) -> Webhook | None:
        try:
            found = await self._ask("GET", f"/{webhook_id}")
        except NotFound:
            return None
        return Webhook(found["connection"], webhook_id)

    async def page(self, state: str, connection: str | None, before: int | None) -> Sequence[Webhook]:
        asked = {"state": state, "connection": connection, "before": before, "limit": PAGE}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        answer = await self._ask("GET", f"?{query}")
        return [Webhook(item["connection"], int(item["id"])) for item in answer["items"]]

    async def again(self, connection: str, ids: Sequence[int]) -> int:
        asked = {"connection": connection, "ids": [str(id_) for id_ in ids], "dry_run": False}
        answer = await self._ask("POST", "/replay", orjson.dumps(asked))
        return int(answer["count"])

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        try:
            answer = await http.send(self._client, method, self._url + path, headers=headers, content=body)
        except http.NotSent as error:
            raise GatewayError(f"No gateway answers at {self._gateway}: {error}. Is --url where it listens?") from None
        try:
            read: dict[str, Any] = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise GatewayError(f"{self._url} does not answer as a gateway does ({answer.status})") from None
        if answer.status >= 400:
            kind = NotFound if answer.status == 404 else GatewayError
            said = [read.get("detail") or read.get("title"), *(fault["detail"] for fault in read.get("errors", ()))]
            raise kind(f"{self._url} answered {answer.status}: {', '.join(map(str, said))}")
        return read


async def chosen(
    stock: Stock, ids: Sequence[int], state: str | None, connection: str | None, since: int
) -> list[Webhook]:
    """The webhooks with these ids, or all in a state that were received at ``since`` (epoch ms) or later."""
    if bool(ids) == bool(state):
        raise Malformed("give either ids or --state")
    if state is None:
        given = {id_: await stock.find(id_) for id_ in ids}
        if missing := [str(id_) for id_, webhook in given.items() if webhook is None]:
            raise NotFound(f"there are no such webhooks: {', '.join(missing)}")
        return [webhook for webhook in given.values() if webhook is not None]
    found: list[Webhook] = []
    while True:
        page = await stock.page(state, connection, found[-1].id if found else None)
        recent = [webhook for webhook in page if webhook.id >> RANDOM_BITS >= since]  # ids begin with the time
        found += recent
        if len(recent) < PAGE:
            return found


async def replay(stock: Stock, found: Sequence[Webhook]) -> int:
    """Translate these again, a page at a time; says how many there still were."""
    pages = []
    for connection in dict.fromkeys(webhook.connection for webhook in found):
        ids = [webhook.id for webhook in found if webhook.connection == connection]
        pages += [(connection, ids[start : start + PAGE]) for start in range(0, len(ids), PAGE)]
    return sum([await stock.again(*page) for page in track(pages, "Replaying", transient=True)])


def moment(text: str) -> int:
    """Epoch ms of a date or time in ISO 8601; without an offset it is UTC. Raises ``Malformed``."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(f"--since is a date or time such as 2026-11-20 or 2026-11-20T12:00+01:00, not {text}") from None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
