"""A secret, once given, is nowhere in the clear: not in an answer, not in the log, not on the disk."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.telemetry import configure
from tests.api.conftest import ACCOUNT, CONNECTION, ROLES, Office, Opening
from tests.api.contract import operations
from tests.bench.orders import body
from tests.running import MASTER_KEY

CANARY = "CaNaRy"
PRIVATE = f"pk_{CANARY}_private_0001"
REPLACED = f"pk_{CANARY}_replaced_0002"
ENDS = {"endpoint_secret": "3003", "events_secret": "4004", "api_token": "5005"}
SECRETS = {name: f"{CANARY}-{name}-{end}" for name, end in ENDS.items()}
SHOP = "/api/connections/shop"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that is logged from here on, as the process in production would write it."""
    before, written = structlog.get_config(), io.StringIO()
    configure()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written), cache_logger_on_first_use=False)
    yield lambda: written.getvalue() + caplog.text
    structlog.configure(**before)


async def walk(office: Office) -> list[str]:
    """The answer of every GET route with every id there is, by every role."""
    ids: dict[str, list[str]] = {"account_id": ["main"], "connection_id": ["shop"], "scope": ["store:1"]}
    for kind in ("webhook", "command"):
        ids[f"{kind}_id"] = [item["id"] for item in (await office.ask("GET", f"/api/{kind}s"))["items"]]
    assert all(ids.values())
    told = []
    for method, path, _ in operations():
        if method == "GET":
            paths = [path]
            for name, values in ids.items():
                paths = [each.replace(f"{{{name}}}", value) for each in paths for value in values]
            for each in dict.fromkeys(paths):
                for role in ROLES:
                    answer = await office.call(method, each, role=role)
                    assert answer.status_code in ((200, 403) if role != "admin" else (200,)), each
                    told.append(answer.text + str(answer.headers))
    for path in ("/docs", "/openapi.json"):
        told.append((await office.http.get(path)).text)
    return told


async def refusals(office: Office) -> list[str]:
    """Every way to have a secret refused that we can think of."""
    told = []
    long = CANARY * 100
    bad_secrets: list[Any] = [
        {"endpoint_secret": [CANARY]}, {"api_token": CANARY + "\x00"}, {CANARY: 1}, {"events_secret": {"a": CANARY}},
    ]  # fmt: skip
    bad_keys: list[Any] = [CANARY + " blank", CANARY + "é", long, [CANARY], {"a": CANARY}, CANARY + "\n"]
    calls: list[tuple[str, str, Any]] = [("POST", "/api/accounts", ACCOUNT | {"private_key": key}) for key in bad_keys]
    calls += [("PATCH", "/api/accounts/main", {"private_key": key}) for key in bad_keys]
    calls += [("POST", "/api/accounts", ACCOUNT | {"private_key": PRIVATE})]
    calls += [("PATCH", "/api/accounts/nobody", {"private_key": PRIVATE})]
    for secrets in [*bad_secrets, SECRETS]:
        calls += [
            ("POST", "/api/connections", CONNECTION | {"secrets": secrets, "account": "nobody"}),
            ("POST", "/api/connections", CONNECTION | {"secrets": secrets, "platform": "nothing"}),
            ("POST", "/api/connections", CONNECTION | {"secrets": secrets}),
            ("PATCH", SHOP, {"secrets": secrets, "account": "nobody"}),
            ("PATCH", "/api/connections/nobody", {"secrets": secrets, "name": ""}),
        ]
    for method, path, content in calls:
        answer = await office.call(method, path, content)
        assert answer.status_code in (404, 409, 422), (path, content, answer.text)
        # The name of an unknown field is the only thing a pointer can show.
        told.append(answer.text.replace(f"/secrets/{CANARY}", ""))
    for raw in (json.dumps(SECRETS).encode()[:-3], b'{"private_key": "' + PRIVATE.encode() + b'\xff"}'):
        told.append((await office.call("POST", "/api/accounts", raw=raw)).text)
    for signed_with in ("wrong", SECRETS["api_token"]):
        told.append((await office.post_webhook(b"{}", secret=signed_with)).text)
    wrong_key = {"authorization": f"Bearer gw_{CANARY}_{CANARY}"}
    told.append((await office.http.get("/api/stats", headers=wrong_key)).text)
    return told


async def live(office: Office, centra: str, klaviyo_works: bool) -> None:
    """What an ordinary day does with the secrets."""
    await office.ask("POST", "/api/accounts", ACCOUNT | {"private_key": PRIVATE}, 201)
    await office.ask("POST", "/api/connections", CONNECTION | {"secrets": SECRETS}, 201)
    await office.ask("PATCH", SHOP, {"settings": {"base_url": centra}})
    await office.ask("PUT", f"{SHOP}/scopes/store:1", {"settings": {}})
    for n in range(2):
        assert (await office.post_webhook(body(n), secret=SECRETS["events_secret"])).status_code == 202
    await office.post_webhook(b"not json", secret=SECRETS["events_secret"])
    await office.translate()
    await office.gateway.delivery.drain()
    assert (await office.ask("POST", "/api/accounts/main/test"))["works"] is klaviyo_works
    assert not (await office.ask("POST", f"{SHOP}/test"))["works"], "the canary is no token of this shop"
    await office.ask("POST", "/api/preview", {"connection": "shop", "door": "events", "body": body(1).decode()})
    await office.ask("PATCH", "/api/accounts/main", {"private_key": REPLACED})
    await office.ask("PATCH", SHOP, {"secrets": {"api_token": SECRETS["api_token"]}})


def on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def tells(text: str | bytes, operator_keys: dict[str, str]) -> bool:
    """Whether a text holds any secret: a canary, the master key, or the secret part of an operator's key."""
    found = text if isinstance(text, bytes) else text.encode()
    secrets = [CANARY, MASTER_KEY, *(key.split("_", 2)[2] for key in operator_keys.values())]
    return any(secret.encode() in found for secret in secrets)


async def test_the_canary_is_nowhere(
    open_office: Opening, klaviyo: str, centra: str, tmp_path: Path, logged: Callable[[], str]
) -> None:
    async with open_office(klaviyo) as office:
        await live(office, centra, klaviyo_works=False)
        account = await office.ask("GET", "/api/accounts/main")
        shop = await office.ask("GET", SHOP)
        assert account["private_key_last_four"] == "0002"
        assert shop["secrets_last_four"] == ENDS
        told = await walk(office) + await refusals(office)
        made = await office.ask("POST", "/api/keys", {"name": "Ann", "role": "viewer"}, 201)
        keys = office.keys | {"made": made["key"]}
        while_open = on_disk(tmp_path)
        assert "gateway.db-wal" in while_open
    assert [text[:300] for text in told if tells(text, keys)] == []
    files = while_open | {f"{name} at rest": content for name, content in on_disk(tmp_path).items()}
    assert [name for name, content in files.items() if tells(content, keys)] == []
    assert "account_paused" in logged()
    assert [line for line in logged().splitlines() if tells(line, keys)] == []


async def test_the_canary_is_nowhere_while_klaviyo_is_away(
    open_office: Opening, tmp_path: Path, logged: Callable[[], str]
) -> None:
    async with open_office() as office:
        await live(office, "http://127.0.0.1:9", klaviyo_works=False)
        told = await walk(office)
        assert [text[:300] for text in told if tells(text, office.keys)] == []
        assert [name for name, content in on_disk(tmp_path).items() if tells(content, office.keys)] == []
        assert [line for line in logged().splitlines() if tells(line, office.keys)] == []


def test_secrets_do_not_show_in_what_a_trace_would_print() -> None:
    from app.connections import Account, Connected
    from app.mappers.registry import PLATFORMS
    from app.settings import Settings

    settings = Settings(master_key=CANARY * 6)
    connected = Connected("shop", PLATFORMS[0], None, True, SECRETS, {"base_currency": "SEK"}, {})
    assert not tells(repr((settings, connected, Account("main", PRIVATE))), {})
