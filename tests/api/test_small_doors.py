"""Keys, previews, health, and what is said of paths and methods that are not there."""

from __future__ import annotations

import json
from typing import Any

import orjson

from app.mappers.registry import PLATFORMS
from tests.api.conftest import Office
from tests.bench.orders import body


async def test_a_key_is_shown_once_works_and_ends(office: Office) -> None:
    made = await office.ask("POST", "/api/keys", {"name": "Ann", "role": "viewer", "days": 2}, 201)
    text = made.pop("key")
    assert text.startswith(f"gw_{made['id']}_")
    listed = {key["id"]: key for key in (await office.ask("GET", "/api/keys"))["items"]}
    assert listed[made["id"]] == made
    assert text not in json.dumps(listed)
    assert made["revoked_at"] is None
    created, expires = (orjson.loads(f'"{made[name]}"')[:19] for name in ("created_at", "expires_at"))
    assert created < expires

    office.keys["ann"] = text
    assert (await office.call("GET", "/api/stats", role="ann")).status_code == 200
    assert (await office.call("GET", "/api/keys", role="ann")).status_code == 403
    path = f"/api/keys/{made['id']}"
    assert await office.ask("DELETE", path, status=204) is None
    assert (await office.call("GET", "/api/stats", role="ann")).status_code == 401
    assert (await office.call("DELETE", path)).status_code == 404, "it is ended once"
    listed = {key["id"]: key for key in (await office.ask("GET", "/api/keys"))["items"]}
    assert listed[made["id"]]["revoked_at"] is not None


async def test_what_is_wrong_with_a_key(office: Office) -> None:
    for wrong in (
        {"role": "viewer"}, {"name": "", "role": "viewer"}, {"name": "A", "role": "root"},
        {"name": "A", "role": "Admin"}, {"name": "A", "role": "viewer", "days": 0},
        {"name": "A", "role": "viewer", "days": 366},
        {"name": "A", "role": "viewer", "days": "5"}, {"name": "A", "role": "viewer", "days": True},
        {"name": "A", "role": "viewer", "hash": ""},
    ):  # fmt: skip
        assert await office.faults("POST", "/api/keys", wrong)
    assert len((await office.ask("GET", "/api/keys"))["items"]) == 3


async def test_a_preview_is_what_is_sent_later(office: Office) -> None:
    await office.set_up()
    asked: dict[str, Any] = {"connection": "shop", "door": "events", "body": json.loads(body(1))}
    (event,) = (await office.ask("POST", "/api/preview", asked, role="operator"))["events"]
    assert (event["state"], event["slug"]) == ("mapped", "order_placed")
    text = asked | {"body": body(1).decode()}
    assert (await office.ask("POST", "/api/preview", text))["events"] == [event]
    assert (await office.ask("GET", "/api/webhooks"))["items"] == []
    assert (await office.ask("GET", "/api/commands"))["items"] == []

    await office.post_webhook(body(1))
    await office.translate()
    (webhook,) = (await office.ask("GET", "/api/webhooks"))["items"]
    made = (await office.ask("GET", f"/api/webhooks/{webhook['id']}"))["commands"]
    assert [command["request"] for command in event["commands"]] == [command["request"] for command in made]
    assert {command["account"] for command in event["commands"]} == {"main"}


async def test_a_preview_without_a_connection(office: Office) -> None:
    settings = {"base_currency": "SEK", "rates": {"EUR": "11.4"}}
    asked = {"platform": "centra", "settings": settings, "door": "events", "body": json.loads(body(1))}
    (event,) = (await office.ask("POST", "/api/preview", asked))["events"]
    assert event["state"] == "mapped"
    assert {command["account"] for command in event["commands"]} == {None}


async def test_what_is_wrong_with_a_preview(office: Office) -> None:
    good: dict[str, object] = {"platform": "centra", "settings": {"base_currency": "SEK"}, "door": "events", "body": {}}
    await office.ask("POST", "/api/preview", good)
    nobody: dict[str, object] = {"connection": "nobody", "door": "events", "body": {}}
    wrong: dict[str, list[dict[str, object]]] = {
        "/connection": [good | {"connection": "shop"}, good | {"platform": None}, nobody],
        "/platform": [good | {"platform": "nothing"}],
        "/door": [good | {"door": "nothing"}],
        "/settings/base_currency": [good | {"settings": {"base_currency": "nothing"}}, good | {"settings": {}}],
    }  # fmt: skip
    for pointer, bodies in wrong.items():
        for each in bodies:
            assert list(await office.faults("POST", "/api/preview", each)) == [pointer]
    bare = await office.faults("POST", "/api/preview", {"metric": "Placed Order", "order": "1"})
    assert bare == {"": 'put the webhook into {"connection": ..., "door": ..., "body": <the webhook>}'}


async def test_any_body_can_be_previewed(office: Office) -> None:
    await office.set_up()
    for source in PLATFORMS:
        for door in source.doors:
            bodies: list[object] = ["", "payload=%FF", "payload={", "not json", None, 7, [], {}, [[]], [7], "\x00", "é"]
            bodies += [[{}] * 101, {"metric": None}, {"metric": {}}, {"events": 7}, 'payload={"events":7}']
            bodies += ['payload={"events":[7]}', "payload=7", "payload=NaN", [{"metric": "Placed Order", "data": 7}]]
            bodies += [example.body for example in door.examples]
            for each in bodies:
                asked = {"connection": "shop", "door": door.name, "body": each}
                answer = await office.call("POST", "/api/preview", asked)
                assert answer.status_code == 200, (door.name, each, answer.text)


async def test_health_is_open_to_all(office: Office) -> None:
    assert (await office.ask("GET", "/health/live", role="")) == {"status": "live"}
    assert (await office.ask("GET", "/health/ready", role="")) == {"status": "ready"}
    await office.gateway.database.close()
    answer = await office.http.get("/health/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await office.http.get("/health/live")).status_code == 200


async def test_paths_and_methods_that_are_not_there(office: Office) -> None:
    for path in ("/api", "/api/", "/api/nothing", "/api/accounts/", "/api/webhooks/x", "/webhooks/centra/nobody"):
        answer = await office.call("GET", path)
        assert answer.status_code in (404, 405), path
    answer = await office.call("DELETE", "/api/connections/shop/scopes")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    answer = await office.call("PUT", "/api/accounts/main")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PATCH")
    assert answer.json()["type"] == "urn:klaviyo-gateway:method_not_allowed"
