"""The life of a connection and its scopes: what is named is changed, checked as a whole, and used at once."""

from __future__ import annotations

from typing import Any

from app.mappers.centra.sandbox import DEMO_TOKEN
from tests.api.conftest import ACCOUNT, CONNECTION, Office, Opening

PATH = "/api/connections/shop"
SCOPE = f"{PATH}/scopes/store:1"


def settings(office: Office, *scopes: str) -> Any:
    return office.gateway.connections.by_id["shop"].effective(scopes).settings


async def test_a_connection_is_added_shown_and_listed(office: Office) -> None:
    await office.ask("POST", "/api/accounts", ACCOUNT, 201)
    answer = await office.call("POST", "/api/connections", CONNECTION)
    assert (answer.status_code, answer.headers["location"]) == (201, PATH)
    made = answer.json()
    assert made["settings"] == CONNECTION["settings"]
    assert made["secrets_last_four"] == {"endpoint_secret": "ests"}
    urls = {url["door"]: (url["url"], url["open"]) for url in made["webhook_urls"]}
    assert urls["events"] == ("http://gateway.test/webhooks/centra/shop/events", True)
    assert urls["webhooks"] == ("http://gateway.test/webhooks/centra/shop", True)
    assert await office.ask("GET", PATH, role="viewer") == made
    assert (await office.ask("GET", "/api/connections"))["items"] == [made]


async def test_the_public_url_is_shown_where_it_is_set(open_office: Opening) -> None:
    async with open_office(public_url="https://gateway.example.com") as office:
        await office.set_up()
        urls = (await office.ask("GET", PATH))["webhook_urls"]
    assert all(url["url"].startswith("https://gateway.example.com/webhooks/centra/shop") for url in urls)


async def test_a_taken_id_is_409_and_changes_nothing(office: Office) -> None:
    await office.set_up()
    before = await office.ask("GET", PATH)
    twin = await office.call("POST", "/api/connections", CONNECTION | {"name": "Twin", "account": None})
    assert twin.status_code == 409
    assert await office.ask("GET", PATH) == before


async def test_a_change_merges_as_rfc_7396_says(office: Office) -> None:
    await office.set_up()
    await office.ask("PATCH", PATH, {"settings": {"timezone": "Europe/Stockholm", "rates": {"NOK": "0.98"}}})
    shown = await office.ask("GET", PATH)
    assert shown["settings"] == {
        "base_currency": "SEK", "timezone": "Europe/Stockholm", "rates": {"EUR": "11.4", "NOK": "0.98"},
    }  # fmt: skip
    assert str(settings(office).zone) == "Europe/Stockholm"

    await office.ask("PATCH", PATH, {"settings": {"timezone": None, "rates": {"EUR": None}}})
    shown = await office.ask("GET", PATH)
    assert shown["settings"] == {"base_currency": "SEK", "rates": {"NOK": "0.98"}}
    assert str(settings(office).zone) == "UTC"

    lists = {"restrict": {"markets": ["Sweden", "Norway"], "countries": ["SE"]}}
    await office.ask("PATCH", PATH, {"settings": lists})
    await office.ask("PATCH", PATH, {"settings": {"restrict": {"markets": ["Denmark"]}}})
    assert (await office.ask("GET", PATH))["settings"]["restrict"] == {"markets": ["Denmark"], "countries": ["SE"]}

    await office.ask("PATCH", PATH, {"settings": {"rates": None, "restrict": None, "absent": None}})
    assert (await office.ask("GET", PATH))["settings"] == {"base_currency": "SEK"}
    assert (await office.ask("GET", PATH))["secrets_last_four"] == {"endpoint_secret": "ests"}


async def test_what_is_not_named_stays(office: Office) -> None:
    await office.set_up()
    before = await office.ask("GET", PATH)
    after = await office.ask("PATCH", PATH, {})
    assert after == before | {"updated_at": after["updated_at"]}
    after = await office.ask("PATCH", PATH, {"name": "Renamed"})
    assert after == before | {"updated_at": after["updated_at"], "name": "Renamed"}
    assert (await office.ask("PATCH", PATH, {"account": None}))["account"] is None
    assert (await office.ask("PATCH", PATH, {"account": "main"}))["account"] == "main"
    assert await office.faults("PATCH", PATH, {"name": None, "enabled": None}) != {}


async def test_secrets_merge_too_and_a_removed_one_closes_its_door(office: Office) -> None:
    await office.set_up()
    shown = await office.ask("PATCH", PATH, {"secrets": {"events_secret": "events-secret-0001"}})
    assert shown["secrets_last_four"] == {"endpoint_secret": "ests", "events_secret": "0001"}
    shown = await office.ask("PATCH", PATH, {"secrets": {"endpoint_secret": None}})
    assert shown["secrets_last_four"] == {"events_secret": "0001"}
    assert {url["door"]: url["open"] for url in shown["webhook_urls"]} == {"webhooks": False, "events": True}
    assert (await office.post_webhook(b"{}")).status_code == 401
    assert (await office.post_webhook(b"{}", secret="events-secret-0001")).status_code == 202
    shown = await office.ask("PATCH", PATH, {"secrets": {"events_secret": None}})
    assert not any(url["open"] for url in shown["webhook_urls"])
    assert (await office.post_webhook(b"{}", secret="events-secret-0001")).status_code == 404
    shown = await office.ask("PATCH", PATH, {"secrets": {"api_token": "tok"}})
    assert shown["secrets_last_four"] == {"api_token": ""}, "nothing of a short secret may be shown"


async def test_a_disabled_connection_takes_nothing(office: Office) -> None:
    await office.set_up()
    shown = await office.ask("PATCH", PATH, {"enabled": False})
    assert (shown["enabled"], [url["open"] for url in shown["webhook_urls"]]) == (False, [False, False])
    assert (await office.post_webhook(b"{}")).status_code == 404
    await office.ask("PATCH", PATH, {"enabled": True})
    assert (await office.post_webhook(b"{}")).status_code == 202


async def test_a_connection_that_received_something_stays(office: Office) -> None:
    await office.set_up()
    await office.ask("PUT", SCOPE, {"settings": {}})
    assert (await office.post_webhook(b"{}")).status_code == 202
    assert (await office.call("DELETE", PATH)).status_code == 409
    await office.ask("POST", "/api/connections", CONNECTION | {"id": "fresh"}, 201)
    await office.ask("DELETE", "/api/connections/fresh", status=204)
    assert (await office.call("GET", "/api/connections/fresh")).status_code == 404
    assert (await office.post_webhook(b"{}", "fresh")).status_code == 404


async def test_what_is_not_there_is_404(office: Office) -> None:
    nobody = "/api/connections/nobody"
    for method, path, body in (
        ("GET", nobody, None), ("PATCH", nobody, {}), ("DELETE", nobody, None), ("POST", f"{nobody}/test", None),
        ("GET", f"{nobody}/scopes", None), ("GET", f"{nobody}/scopes/a", None),
        ("PUT", f"{nobody}/scopes/a", {"settings": {}}), ("DELETE", f"{nobody}/scopes/a", None),
    ):  # fmt: skip
        assert (await office.call(method, path, body)).status_code == 404, (method, path)


async def test_a_scope_is_laid_over_the_connection(office: Office) -> None:
    await office.set_up()
    await office.ask("POST", "/api/accounts", ACCOUNT | {"id": "second"}, 201)
    override = {"settings": {"timezone": "Europe/Oslo", "rates": {"EUR": None}}, "account": "second"}
    made = await office.ask("PUT", SCOPE, override, role="operator")
    assert made == {"scope": "store:1", **override, "updated_at": made["updated_at"]}
    assert await office.ask("GET", SCOPE, role="viewer") == made
    assert (await office.ask("GET", f"{PATH}/scopes"))["items"] == [made]
    assert (settings(office).timezone, settings(office, "store:1").timezone) == ("UTC", "Europe/Oslo")
    assert settings(office, "store:1").rates == {}
    assert office.gateway.connections.by_id["shop"].effective(("store:1",)).account_id == "second"

    replaced = await office.ask("PUT", SCOPE, {"settings": {}})
    assert (replaced["settings"], replaced["account"]) == ({}, None)
    await office.ask("DELETE", SCOPE, status=204)
    assert (await office.call("GET", SCOPE)).status_code == 404
    assert (await office.call("DELETE", SCOPE)).status_code == 404


async def test_a_change_must_fit_every_scope(office: Office) -> None:
    await office.set_up()
    await office.ask("PUT", SCOPE, {"settings": {"metrics": {"shipped": {"name": "Sent"}}}})
    before = await office.ask("GET", PATH)
    clash = {"settings": {"metrics": {"delivered": {"name": "Sent"}}}, "name": "Renamed"}
    faults = await office.faults("PATCH", PATH, clash)
    assert list(faults.values()) == ["with the scope store:1: metrics: two metrics under one name"]
    assert await office.ask("GET", PATH) == before
    assert await office.faults("PUT", SCOPE, {"settings": {"metrics": {"nonsense": {}}}, "account": "nobody"})
    assert (await office.ask("GET", SCOPE))["settings"] == {"metrics": {"shipped": {"name": "Sent"}}}


async def test_the_test_names_everything_that_is_missing(office: Office) -> None:
    bare = {"id": "shop", "platform": "centra", "name": "Shop", "settings": {"base_currency": "SEK"}}
    await office.ask("POST", "/api/connections", bare, 201)
    tested = await office.ask("POST", f"{PATH}/test", role="operator")
    assert not tested["works"]
    text = " ".join(tested["problems"])
    assert "No secret is set" in text
    assert "no Klaviyo account" in text
    assert "base_url is not set" in text


async def test_the_test_asks_the_platform(office: Office, centra: str) -> None:
    await office.set_up()
    await office.ask("PATCH", PATH, {"settings": {"base_url": centra}, "secrets": {"api_token": DEMO_TOKEN}})
    tested = await office.ask("POST", f"{PATH}/test")
    assert tested == {"works": True, "problems": [], "warning": None}
    await office.ask("PATCH", PATH, {"secrets": {"api_token": "not-the-token-of-this-shop"}})
    assert not (await office.ask("POST", f"{PATH}/test"))["works"]
