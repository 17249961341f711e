"""The life of a Klaviyo account, and its test against a Klaviyo behind a real socket."""

from __future__ import annotations

import httpx

from app.store import commands, lanes
from tests.api.conftest import ACCOUNT, BLIND, CONNECTION, LIMITED, Office, Opening


async def test_an_account_is_added_shown_listed_and_changed(office: Office) -> None:
    answer = await office.call("POST", "/api/accounts", ACCOUNT | {"private_key": "pk_0123456789abcd"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/accounts/main")
    made = answer.json()
    assert made["private_key_last_four"] == "abcd"
    assert made["created_at"] == made["updated_at"]
    assert await office.ask("GET", "/api/accounts/main", role="viewer") == made
    await office.ask("POST", "/api/accounts", ACCOUNT | {"id": "also"}, 201)
    listed = await office.ask("GET", "/api/accounts")
    assert ([account["id"] for account in listed["items"]], listed["next"]) == (["also", "main"], None)

    changed = await office.ask("PATCH", "/api/accounts/main", {"name": "Renamed"})
    assert changed == made | {"name": "Renamed", "updated_at": changed["updated_at"]}
    changed = await office.ask("PATCH", "/api/accounts/main", {"private_key": "pk_another_key_wxyz"})
    assert changed["private_key_last_four"] == "wxyz"
    assert office.gateway.connections.accounts["main"].private_key == "pk_another_key_wxyz"


async def test_an_id_is_taken_once(office: Office) -> None:
    await office.ask("POST", "/api/accounts", ACCOUNT, 201)
    twin = await office.call("POST", "/api/accounts", ACCOUNT | {"name": "Twin"})
    assert (twin.status_code, twin.json()["type"]) == (409, "urn:klaviyo-gateway:conflict")
    assert (await office.ask("GET", "/api/accounts/main"))["name"] == "Main"


async def test_what_is_not_there_is_404(office: Office) -> None:
    for method, path, body in (
        ("GET", "", None), ("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("POST", "/test", None),
    ):  # fmt: skip
        assert (await office.call(method, f"/api/accounts/nobody{path}", body)).status_code == 404


async def test_an_account_in_use_stays(office: Office) -> None:
    await office.set_up()
    assert (await office.call("DELETE", "/api/accounts/main")).status_code == 409
    await office.ask("DELETE", "/api/connections/shop", status=204)
    await office.ask("DELETE", "/api/accounts/main", status=204)
    assert (await office.call("GET", "/api/accounts/main")).status_code == 404
    assert "main" not in office.gateway.connections.accounts


async def test_an_account_of_a_scope_alone_stays(office: Office) -> None:
    await office.set_up()
    await office.ask("POST", "/api/accounts", ACCOUNT | {"id": "second"}, 201)
    await office.ask("PUT", "/api/connections/shop/scopes/store:2", {"settings": {}, "account": "second"})
    assert (await office.call("DELETE", "/api/accounts/second")).status_code == 409


async def test_the_test_says_what_the_key_can_do(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        ids = {"good": "pk_sandbox", "limited": LIMITED.key, "blind": BLIND.key, "gone": "pk_revoked_long_ago"}
        tested = {}
        for id_, key in ids.items():
            await office.ask("POST", "/api/accounts", ACCOUNT | {"id": id_, "private_key": key}, 201)
            tested[id_] = await office.ask("POST", f"/api/accounts/{id_}/test", role="operator")
        assert (tested["good"]["works"], tested["good"]["missing_scopes"]) == (True, []), tested["good"]
        assert tested["good"]["verdict"] == "The key works and has every scope that the gateway needs."
        assert tested["good"]["public_key"] == tested["limited"]["public_key"] != ""
        assert tested["limited"]["missing_scopes"] == [
            "profiles:write", "lists:read", "lists:write", "subscriptions:write", "metrics:read",
        ]  # fmt: skip
        assert "lacks profiles:write, lists:read" in tested["limited"]["verdict"]
        assert tested["blind"]["missing_scopes"][0] == "accounts:read"
        assert "Klaviyo does not know this private key" in tested["gone"]["verdict"]
        assert [id_ for id_, result in tested.items() if result["works"]] == ["good"]


async def test_a_key_of_another_account_is_noticed(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        await office.ask("POST", "/api/accounts", ACCOUNT | {"public_key": "OTHER1"}, 201)
        tested = await office.ask("POST", "/api/accounts/main/test")
    assert not tested["works"]
    assert "for another account" in tested["verdict"]
    assert "OTHER1" in tested["verdict"]


async def test_a_test_asked_twice_in_a_second_waits_its_turn_once(open_office: Opening, klaviyo: str) -> None:
    busy = {"match": {"path": "/api/accounts"}, "action": {"retry_after": 0}}
    async with open_office(klaviyo) as office, httpx.AsyncClient(base_url=klaviyo, trust_env=False) as sandbox:
        await office.ask("POST", "/api/accounts", ACCOUNT, 201)
        await sandbox.post("/sandbox/faults", json=[busy])
        assert (await office.ask("POST", "/api/accounts/main/test"))["works"]
        await sandbox.post("/sandbox/faults", json=[busy | {"times": 2}])
        tested = await office.ask("POST", "/api/accounts/main/test")
    assert not tested["works"]
    assert tested["verdict"].startswith("Klaviyo answered 429")


async def test_a_private_key_of_the_wrong_length_is_told_in_characters(office: Office) -> None:
    for key in ("pk_1234", "k" * 256):
        faults = await office.faults("POST", "/api/accounts", ACCOUNT | {"private_key": key})
        assert faults == {"/private_key": "a private key has at least 8 characters and at most 255"}


async def test_a_klaviyo_that_is_away_is_said(office: Office) -> None:
    await office.ask("POST", "/api/accounts", ACCOUNT, 201)
    tested = await office.ask("POST", "/api/accounts/main/test")
    assert not tested["works"]
    assert tested["verdict"].startswith("Klaviyo could not be reached")


async def test_a_lost_master_key_is_said_and_setting_the_key_again_helps(open_office: Opening, klaviyo: str) -> None:
    async with open_office(klaviyo) as office:
        await office.ask("POST", "/api/accounts", ACCOUNT, 201)
        await office.ask("POST", "/api/connections", CONNECTION, 201)
    async with open_office(klaviyo, master_key="another-master-key-0123456789-0123456789") as office:
        assert "does not open" in (await office.ask("POST", "/api/accounts/main/test"))["verdict"]
        tested = await office.ask("POST", "/api/connections/shop/test")
        assert "Its settings or secrets cannot be read: set them again." in tested["problems"]
        one = {"secrets": {"api_token": "a-token"}}
        assert (await office.call("PATCH", "/api/connections/shop", one)).status_code == 409
        await office.ask("PATCH", "/api/connections/shop", {"secrets": {"endpoint_secret": "set-again-secret"}})
        await office.ask("PATCH", "/api/accounts/main", {"private_key": "pk_sandbox"})
        assert (await office.ask("POST", "/api/accounts/main/test"))["works"]
        assert (await office.ask("GET", "/api/connections/shop"))["webhook_urls"][0]["open"]


async def test_a_new_private_key_lifts_the_pause_of_its_account(office: Office) -> None:
    await office.set_up()
    database = office.gateway.database
    await database.write(commands._open_lanes, {("main", "track")})
    await database.write(lanes.pause_account, "main", "401: revoked", 2_000_000_000_000)
    (lane,) = (await office.ask("GET", "/api/lanes"))["items"]
    assert lane["paused"] == "401: revoked"
    await office.ask("PATCH", "/api/accounts/main", {"name": "Only the name"})
    (lane,) = (await office.ask("GET", "/api/lanes"))["items"]
    assert lane["paused"] == "401: revoked"
    await office.ask("PATCH", "/api/accounts/main", {"private_key": "pk_new_and_living"})
    (lane,) = (await office.ask("GET", "/api/lanes"))["items"]
    assert lane["paused"] is None
