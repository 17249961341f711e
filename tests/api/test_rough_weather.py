"""Many at once, a caller who hangs up, strange headers, a full disk: the API stays exact and says 503 where it must."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection
from starlette.types import Message

from tests.api.conftest import ACCOUNT, CONNECTION, Office, Opening

SHOP = "/api/connections/shop"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CURRENCIES = ("EUR", "NOK", "DKK", "GBP", "USD", "CHF", "PLN", "CZK", "HUF", "JPY")


async def test_of_twins_posted_at_once_one_wins(office: Office) -> None:
    bodies = [ACCOUNT | {"name": f"Twin {n}"} for n in range(8)]
    answers = await asyncio.gather(*(office.call("POST", "/api/accounts", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    (winner,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert (await office.ask("GET", "/api/accounts"))["items"] == [winner]


async def test_changes_made_at_once_all_stay(office: Office) -> None:
    await office.set_up()
    changes = [{"settings": {"rates": {code: "2"}}} for code in CURRENCIES]
    answers = await asyncio.gather(*(office.call("PATCH", SHOP, change) for change in changes))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted((await office.ask("GET", SHOP))["settings"]["rates"]) == sorted(CURRENCIES)
    here = office.gateway.connections.by_id["shop"].settings
    assert sorted(here.rates) == sorted(CURRENCIES), "the front door uses older settings than the database has"  # type: ignore[attr-defined]


async def test_a_caller_who_hangs_up_changes_nothing(office: Office) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"id": "main", ', "more_body": True}, {"type": "http.disconnect"},
    ]  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    key = office.keys["admin"].encode()
    headers = [(b"authorization", b"Bearer " + key), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "method": "POST", "path": "/api/accounts", "raw_path": b"/api/accounts", "query_string": b"",
        "headers": headers, "scheme": "http", "server": ("gateway.test", 80), "client": None, "http_version": "1.1",
        "asgi": {"version": "3.0"}, "root_path": "",
    }  # fmt: skip
    await office.app(scope, receive, send)
    assert [message["status"] for message in sent if "status" in message] == [400]
    assert (await office.ask("GET", "/api/accounts"))["items"] == []


@pytest.mark.parametrize(
    "host", ["", "[", "[::1", "a b", "a:b", "a:99999", "gateway.test/x?y#z", "@", "user:pass@x", "é", "%00", "a\\b"]
)
async def test_a_strange_host_header_harms_nobody(office: Office, host: str) -> None:
    await office.set_up()
    for path in ("/api/connections", SHOP, "/health/live", "/docs", "/openapi.json", "/nowhere"):
        headers = {b"host": host.encode(), b"authorization": f"Bearer {office.keys['admin']}".encode()}
        answer = await office.http.get(path, headers=headers)
        assert answer.status_code < 500, (path, host)
        if path == SHOP and answer.status_code == 200:
            assert all("/webhooks/centra/shop" in url["url"] for url in answer.json()["webhook_urls"])


async def test_strange_headers_are_only_refused(office: Office) -> None:
    for headers in (
        {"content_length": "7"}, {"content_length": "-1"}, {"accept": "text/html"}, {"accept_encoding": "nonsense"},
        {"x_forwarded_host": "evil.example"}, {"content_type": "application/json; charset=utf-16"},
        {"range": "bytes=0-1"}, {"if_match": "*"}, {"cookie": "a" * 4000}, {"x_http_method_override": "DELETE"},
    ):  # fmt: skip
        answer = await office.call("POST", "/api/lanes/resume", raw=b'{"account": "nobody"}', **headers)
        assert answer.status_code == 422


async def test_a_full_disk_is_503_keeps_reading_and_heals(office: Office) -> None:
    def limit(connection: Connection, pages: int) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def used(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)

    database = office.gateway.database
    await office.set_up()
    await database.write(limit, await database.write(used))
    settings = {"base_currency": "SEK", "country_language": {f"{a}{b}": "sv" for a in "ABCDEFGH" for b in LETTERS}}
    full = []
    for n in range(12):
        body = CONNECTION | {"id": f"shop-{n}", "settings": settings}
        answer = await office.http.post("/api/connections", json=body, headers=bearer(office))
        if answer.status_code != 201:
            full.append(f"shop-{n}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["detail"] == "the store cannot answer now"
    assert full, "the disk was never full"
    kept = [shop["id"] for shop in (await office.ask("GET", "/api/connections"))["items"]]
    assert not set(full) & set(kept)
    assert set(office.gateway.connections.by_id) == set(kept)
    await database.write(limit, 1_000_000)
    await office.ask("POST", "/api/connections", CONNECTION | {"id": full[0]}, 201)


def bearer(office: Office) -> dict[str, str]:
    return {"authorization": f"Bearer {office.keys['admin']}"}


async def test_what_was_set_up_is_there_after_a_restart(open_office: Opening) -> None:
    async with open_office() as office:
        await office.set_up()
        await office.ask("PUT", f"{SHOP}/scopes/store:1", {"settings": {"timezone": "Europe/Oslo"}})
        before = [await office.ask("GET", path) for path in ("/api/accounts", SHOP, f"{SHOP}/scopes")]
        key = office.keys["viewer"]
    async with open_office() as office:
        assert [await office.ask("GET", path) for path in ("/api/accounts", SHOP, f"{SHOP}/scopes")] == before
        office.keys["old"] = key
        await office.ask("GET", "/api/stats", role="old")
        assert (await office.post_webhook(b"{}")).status_code == 202
