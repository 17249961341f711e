"""Who may call what: every route of the application, by every kind of caller."""

from __future__ import annotations

import re
import time
from typing import Any, cast

import pytest
from fastapi.routing import iter_route_contexts

from app.intake import FrontDoor
from app.security import new_key
from app.store import config
from tests.api.conftest import ROLES, Office

# The whole of /api. A route that is missing here fails the first test.
NEEDED = {
    "GET /api/accounts": "viewer",
    "POST /api/accounts": "admin",
    "GET /api/accounts/{account_id}": "viewer",
    "PATCH /api/accounts/{account_id}": "admin",
    "DELETE /api/accounts/{account_id}": "admin",
    "POST /api/accounts/{account_id}/test": "operator",
    "GET /api/commands": "viewer",
    "GET /api/commands/{command_id:row}": "viewer",
    "GET /api/connections": "viewer",
    "POST /api/connections": "operator",
    "GET /api/connections/{connection_id}": "viewer",
    "PATCH /api/connections/{connection_id}": "operator",
    "DELETE /api/connections/{connection_id}": "operator",
    "POST /api/connections/{connection_id}/test": "operator",
    "GET /api/connections/{connection_id}/scopes": "viewer",
    "GET /api/connections/{connection_id}/scopes/{scope}": "viewer",
    "PUT /api/connections/{connection_id}/scopes/{scope}": "operator",
    "DELETE /api/connections/{connection_id}/scopes/{scope}": "operator",
    "GET /api/keys": "admin",
    "POST /api/keys": "admin",
    "DELETE /api/keys/{key_id}": "admin",
    "GET /api/lanes": "viewer",
    "POST /api/lanes/resume": "operator",
    "POST /api/preview": "operator",
    "GET /api/stats": "viewer",
    "GET /api/webhooks": "viewer",
    "POST /api/webhooks/replay": "operator",
    "GET /api/webhooks/{webhook_id:row}": "viewer",
    "POST /api/webhooks/{webhook_id:row}/replay": "operator",
}
OPEN = {"GET /health/live", "GET /health/ready", "GET /openapi.json", "GET /docs", "GET /"}
WITH_BODY = {"POST", "PUT", "PATCH"}


def routes(office: Office) -> set[str]:
    app: Any = cast(FrontDoor, office.app)._app
    return {
        f"{method} {context.path}" for context in iter_route_contexts(app.routes) for method in context.methods or ()
    }


def requests() -> list[tuple[str, str, str]]:
    """Method, a path with made-up ids, and the role, of every route."""
    found = []
    for route, role in NEEDED.items():
        method, path = route.split(" ")
        found.append((method, re.sub(r"\{\w+(:row)?\}", lambda m: "7" if m[1] else "nobody", path), role))
    return found


async def key(office: Office, role: str = "admin", *, days: int = 1, revoked: bool = False) -> str:
    made, now = new_key(), int(time.time() * 1000)
    await office.gateway.database.write(config.add_key, made.row(role, role, days=days, now=now))
    if revoked:
        await office.gateway.database.write(config.revoke_key, made.id, now)
    return made.text


async def test_the_table_above_names_every_route(office: Office) -> None:
    doors = {route for route in routes(office) if " /webhooks/" in route}
    assert routes(office) - doors == set(NEEDED) | OPEN


async def test_without_a_living_key_nothing_is_told(office: Office) -> None:
    living = office.keys["admin"]
    _, id_, secret = living.split("_", 2)
    bad: dict[str, dict[str, Any]] = {
        "none": {},
        "empty": {"authorization": ""},
        "no scheme": {"authorization": living},
        "another scheme": {"authorization": f"Basic {living}"},
        "no key": {"authorization": "Bearer"},
        "not a key": {"authorization": "Bearer gw_nothing"},
        "unknown": {"authorization": f"Bearer {new_key().text}"},
        "wrong secret": {"authorization": f"Bearer gw_{id_}_{secret[::-1]}x"},
        "short of one character": {"authorization": f"Bearer {living[:-1]}"},
        "only the id": {"authorization": f"Bearer gw_{id_}_"},
        "not ASCII": {"authorization": "Bearer gw_é_é".encode()},
        "expired": {"authorization": f"Bearer {await key(office, days=-1)}"},
        "revoked": {"authorization": f"Bearer {await key(office, revoked=True)}"},
    }
    answers = set()
    for method, path, _ in requests():
        for headers in bad.values():
            sent = {"content-type": "application/json", **headers}
            answer = await office.http.request(method, path + "?limit=x", content=b'{"', headers=sent)
            answers.add((answer.status_code, answer.headers["www-authenticate"], answer.text))
            assert answer.headers["content-type"] == "application/problem+json"
    assert {(status, scheme) for status, scheme, _ in answers} == {(401, "Bearer")}
    assert len(answers) == 1, "the answer tells one bad key from another"


async def test_every_role_reaches_as_far_as_it_may(office: Office) -> None:
    wrong = {}
    for method, path, needed in requests():
        for role in ROLES:
            body: object = {} if method in WITH_BODY else None
            answer = await office.call(method, path, body, role=role)
            allowed = ROLES.index(role) >= ROLES.index(needed)
            if (answer.status_code == 403) is allowed or answer.status_code == 401:
                wrong[f"{role}: {method} {path}"] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (b'{"', {}),
        (b"{}", {"content_type": "text/plain"}),
        (b"{}", {"content_encoding": "gzip"}),
        (b"[" * 300_000, {}),
        (b'{"id":"\\ud800","private_key":1}', {}),
    ],
    ids=["malformed", "a form", "gzip", "too large", "wrong fields"],
)
async def test_a_role_too_small_never_reaches_the_body(office: Office, raw: bytes, headers: dict[str, str]) -> None:
    for method, path, needed in requests():
        for role in ROLES[: ROLES.index(needed)]:
            if method in WITH_BODY:
                answer = await office.call(method, path + "?limit=x&limit=y", raw=raw, role=role, **headers)
                assert answer.status_code == 403, (role, method, path)
                assert answer.json()["detail"] == f"this takes a key with the role {needed}"


async def test_secrets_of_a_connection_take_an_admin(office: Office) -> None:
    secrets = {"secrets": {"endpoint_secret": "a-new-secret-of-the-shop"}}
    new = {"id": "shop", "platform": "centra", "name": "Shop", "settings": {"base_currency": "SEK"}}
    assert (await office.call("POST", "/api/connections", new | secrets, role="operator")).status_code == 403
    assert (await office.call("GET", "/api/connections/shop")).status_code == 404
    assert (await office.call("POST", "/api/connections", new, role="operator")).status_code == 201
    assert (await office.call("PATCH", "/api/connections/shop", secrets, role="operator")).status_code == 403
    assert (await office.ask("GET", "/api/connections/shop"))["secrets_last_four"] == {}
    assert (await office.call("PATCH", "/api/connections/shop", secrets, role="admin")).status_code == 200
