"""A signed webhook through the front door, the translator and delivery into Klaviyo, as an operator sees it go."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.api.conftest import Office, Opening
from tests.bench.orders import body

ORDER = "10000001"


async def test_an_order_is_seen_all_the_way(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        await office.set_up()
        assert (await office.post_webhook(body(1))).status_code == 202
        (waiting,) = (await office.ask("GET", "/api/webhooks"))["items"]
        assert (waiting["state"], waiting["events"], waiting["translated_at"]) == ("waiting", [], None)
        assert (await office.ask("GET", "/api/stats"))["webhooks"]["waiting"] == 1

        await office.translate()
        (mapped,) = (await office.ask("GET", "/api/webhooks"))["items"]
        assert (mapped["state"], mapped["events"][0]["slug"]) == ("mapped", "order_placed")
        shown = await office.ask("GET", f"/api/webhooks/{mapped['id']}", role="viewer")
        assert shown["body"] == {"text": body(1).decode(), "base64": None}
        assert {command["state"] for command in shown["commands"]} == {"pending"}
        assert len(shown["commands"]) == mapped["events"][0]["commands"] >= 1
        (lane,) = (lane for lane in (await office.ask("GET", "/api/lanes"))["items"] if lane["kind"] == "track")
        assert (lane["account"], lane["sending"], lane["paused"]) == ("main", 0, None)
        assert lane["pending"] >= 1

        await office.gateway.delivery.drain()
        shown = await office.ask("GET", f"/api/webhooks/{mapped['id']}")
        assert {command["state"] for command in shown["commands"]} == {"accepted"}
        placed = next(command for command in shown["commands"] if command["name"] == "Placed Order")
        assert await office.ask("GET", f"/api/commands/{placed['id']}") == placed
        assert placed["webhook"] == mapped["id"]
        assert [(call["status"], call["outcome"]) for call in placed["attempts"]] == [(202, "accepted")]
        sent = placed["request"]["body"]["data"]["attributes"]
        async with httpx.AsyncClient(base_url=klaviyo, trust_env=False) as client:
            ledger = (await client.get("/sandbox/ledger", params={"kind": "events"})).json()["items"]
        (got,) = (entry for entry in ledger if entry["metric"] == "Placed Order")
        assert got["unique_id"] == sent["unique_id"] == ORDER
        assert got["value"] == sent["value"] == 957.0
        stats = await office.ask("GET", "/api/stats")
        assert stats["webhooks"] | {"received": 1, "mapped": 1, "waiting": 0} == stats["webhooks"]
        assert stats["commands"]["accepted"] == stats["commands"]["commands"] == len(shown["commands"])
        assert (stats["commands"]["lost"], stats["commands"]["both"]) == (0, 0)


async def test_a_refused_key_pauses_and_resuming_goes_on(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        await office.set_up(private_key="pk_revoked_long_ago")
        await office.post_webhook(body(1))
        await office.translate()
        await office.gateway.delivery.drain()
        lane = next(lane for lane in (await office.ask("GET", "/api/lanes"))["items"] if lane["kind"] == "track")
        assert "401" in lane["paused"] or "key" in lane["paused"]
        assert lane["not_before"] is not None
        command = (await office.ask("GET", "/api/commands", None))["items"][0]
        assert command["state"] in {"sending", "pending"}
        resumed = await office.ask("POST", "/api/lanes/resume", {"account": "main"}, role="operator")
        assert resumed["lanes"] == len((await office.ask("GET", "/api/lanes"))["items"])
        assert await office.faults("POST", "/api/lanes/resume", {"account": "nobody"}) == {
            "/account": "there is no such account"
        }


async def test_a_replay_sends_nothing_twice(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        await office.set_up()
        await office.post_webhook(body(1))
        await office.translate()
        await office.gateway.delivery.drain()
        before = (await office.ask("GET", "/api/commands"))["items"]
        (webhook,) = (await office.ask("GET", "/api/webhooks"))["items"]
        path = f"/api/webhooks/{webhook['id']}/replay"
        replayed = await office.ask("POST", path, status=202, role="operator")
        assert replayed == {"dry_run": False, "count": 1, "next": None}
        assert (await office.ask("GET", "/api/webhooks"))["items"][0]["state"] == "waiting"
        assert (await office.ask("GET", "/api/stats"))["webhooks"] == {
            "received": 1, "waiting": 1, "mapped": 0, "ignored": 0, "unknown": 0, "quarantined": 0,
        }  # fmt: skip
        await office.translate()
        await office.gateway.delivery.drain()
        assert (await office.ask("GET", "/api/webhooks"))["items"][0]["state"] == "mapped"
        assert (await office.ask("GET", "/api/commands"))["items"] == before
        assert (await office.call("POST", "/api/webhooks/7/replay")).status_code == 404


async def test_webhooks_are_listed_by_page_state_and_connection(office: Office) -> None:
    await office.set_up()
    await office.ask(
        "POST", "/api/connections",
        {"id": "other", "platform": "centra", "name": "Other", "settings": {"base_currency": "EUR"},
         "secrets": {"endpoint_secret": "the-other-shops-secret"}}, 201,
    )  # fmt: skip
    for n in range(5):
        await office.post_webhook(body(n))
    await office.post_webhook(b"not json")
    await office.post_webhook(json.dumps({"metric": "Nobody knows this"}).encode())
    await office.post_webhook(b"\xff\xfe\x00", "other", "the-other-shops-secret")
    await office.translate()

    states = {}
    for state in ("waiting", "mapped", "ignored", "unknown", "quarantined"):
        states[state] = (await office.ask("GET", f"/api/webhooks?state={state}"))["items"]
    counted = {state: len(items) for state, items in states.items()}
    assert counted == {"waiting": 0, "mapped": 5, "ignored": 0, "unknown": 1, "quarantined": 2}
    assert "not JSON" in states["quarantined"][1]["events"][0]["reason"]
    ours = (await office.ask("GET", "/api/webhooks?connection=other"))["items"]
    assert [webhook["connection"] for webhook in ours] == ["other"]
    shown = await office.ask("GET", f"/api/webhooks/{ours[0]['id']}")
    assert shown["body"] == {"text": None, "base64": "//4A"}
    assert (await office.ask("GET", "/api/webhooks?connection=nobody"))["items"] == []
    quarantined = (await office.ask("GET", "/api/webhooks?connection=other&state=quarantined"))["items"]
    assert quarantined == ours

    for query in ("", "&state=mapped", "&connection=shop", "&connection=shop&state=mapped"):
        everything = await office.ask("GET", f"/api/webhooks?limit=200{query}")
        assert everything["next"] is None
        walked: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            at = f"&before={page['next']}" if page["next"] else ""
            page = await office.ask("GET", f"/api/webhooks?limit=2{query}{at}")
            assert len(page["items"]) <= 2
            walked += page["items"]
        assert walked == everything["items"], query
        ids = [int(webhook["id"]) for webhook in walked]
        assert ids == sorted(ids, reverse=True)


async def test_commands_are_listed_by_page_state_name_and_account(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        await office.set_up()
        for n in range(3):
            await office.post_webhook(body(n))
        await office.translate()
        pending = (await office.ask("GET", "/api/commands?state=pending"))["items"]
        assert (await office.ask("GET", "/api/commands"))["items"] == pending
        assert len((await office.ask("GET", "/api/commands?name=Placed Order&account=main"))["items"]) == 3
        assert (await office.ask("GET", "/api/commands?account=nobody"))["items"] == []
        await office.gateway.delivery.drain()
        accepted = await office.ask("GET", "/api/commands?state=accepted&limit=200")
        assert [command["id"] for command in accepted["items"]] == [command["id"] for command in pending]
        assert (await office.ask("GET", "/api/commands?state=pending"))["items"] == []
        first = await office.ask("GET", "/api/commands?limit=2&state=accepted")
        second = await office.ask("GET", f"/api/commands?limit=200&state=accepted&before={first['next']}")
        assert first["items"] + second["items"] == accepted["items"]
        assert (await office.call("GET", "/api/commands/7")).status_code == 404


async def test_many_are_replayed_by_state_or_ids(office: Office) -> None:
    await office.set_up()
    for n in range(5):
        await office.post_webhook(b"not json %d" % n)
    await office.translate()
    ids = [webhook["id"] for webhook in (await office.ask("GET", "/api/webhooks"))["items"]]
    path, asked = "/api/webhooks/replay", {"connection": "shop", "state": "quarantined", "limit": 3}
    counted = await office.ask("POST", path, asked, 202)
    assert counted == {"dry_run": True, "count": 3, "next": ids[2]}
    assert (await office.ask("GET", "/api/stats"))["webhooks"]["waiting"] == 0
    rest = await office.ask("POST", path, asked | {"before": ids[2], "dry_run": False}, 202)
    assert rest == {"dry_run": False, "count": 2, "next": None}
    waiting = (await office.ask("GET", "/api/webhooks?state=waiting"))["items"]
    assert [webhook["id"] for webhook in waiting] == ids[3:]
    chosen = {"connection": "shop", "ids": [ids[0], "7"], "dry_run": False}
    assert (await office.ask("POST", path, chosen, 202))["count"] == 1
    assert (await office.ask("GET", "/api/stats"))["webhooks"]["waiting"] == 3

    either = "give either a state or ids"
    assert await office.faults("POST", path, {"connection": "shop"}) == {"/state": either, "/ids": either}
    assert list(await office.faults("POST", path, {"connection": "nobody", "ids": ["7"]})) == ["/connection"]
    for wrong in ([], ["x"], [7], ["99999999999999999999"], [str(2**63)], ["7"] * 1001):
        assert await office.faults("POST", path, {"connection": "shop", "ids": wrong})
