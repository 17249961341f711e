from __future__ import annotations

import httpx

from tests.klaviyo_sandbox.bodies import new_list, upsert
from tests.klaviyo_sandbox.conftest import HEADERS, Sandbox, faults_of

MEMBERS = "/api/lists/NEWS01/relationships/profiles"


def references(*ids: str) -> dict[str, object]:
    return {"data": [{"type": "profile", "id": profile_id} for profile_id in ids]}


def remove(sandbox: Sandbox, *ids: str) -> httpx.Response:
    return sandbox.http.request("DELETE", MEMBERS, json=references(*ids), headers=HEADERS)


def test_an_account_has_two_lists_to_begin_with(sandbox: Sandbox) -> None:
    lists = sandbox.get("/api/lists").json()["data"]
    assert [(entry["id"], entry["attributes"]["name"], entry["attributes"]["opt_in_process"]) for entry in lists] == [
        ("NEWS01", "Newsletter", "single_opt_in"),
        ("DOUB01", "Double", "double_opt_in"),
    ]


def test_a_list_is_created_and_found_by_name(sandbox: Sandbox) -> None:
    created = sandbox.post("/api/lists", new_list('VIP "gold", inner circle', opt_in_process="single_opt_in"))
    assert created.status_code == 201
    list_id = created.json()["data"]["id"]
    for text in (r'any(name,["VIP \"gold\", inner circle"])', r'equals(name,["VIP \"gold\", inner circle"])'):
        found = sandbox.get("/api/lists", filter=text).json()["data"]
        assert [entry["id"] for entry in found] == [list_id]
    both = sandbox.get("/api/lists", filter='any(name,["Newsletter","Double","None"])').json()["data"]
    assert [entry["id"] for entry in both] == ["NEWS01", "DOUB01"]
    assert sandbox.get("/api/lists", filter='equals(name,"newsletter")').json()["data"] == []


def test_a_list_without_an_opt_in_process_gets_the_accounts(sandbox: Sandbox) -> None:
    created = sandbox.post("/api/lists", new_list("Plain")).json()["data"]
    assert created["attributes"]["opt_in_process"] == "double_opt_in"


def test_lists_come_ten_at_a_time(sandbox: Sandbox) -> None:
    for n in range(10):
        sandbox.post("/api/lists", new_list(f"List {n}"))
    first = sandbox.get("/api/lists").json()
    assert len(first["data"]) == 10
    second = sandbox.get(first["links"]["next"].removeprefix(sandbox.url)).json()
    assert [entry["attributes"]["name"] for entry in second["data"]] == ["List 8", "List 9"]
    assert second["links"]["next"] is None
    assert faults_of(sandbox.get("/api/lists", **{"page[size]": "11"})) == [("invalid", "page[size]")]


def test_members_are_added_and_removed_without_consent(sandbox: Sandbox) -> None:
    eva = sandbox.post("/api/profile-import", upsert()).json()["data"]["id"]
    bo = sandbox.post("/api/profile-import", upsert(email="bo@kund.example.com")).json()["data"]["id"]
    added = sandbox.post(MEMBERS, references(eva, bo))
    assert (added.status_code, added.content) == (204, b"")
    assert sandbox.post(MEMBERS, references(eva)).status_code == 204
    assert remove(sandbox, bo).status_code == 204
    assert remove(sandbox, bo).status_code == 204
    items = sandbox.ledger("lists")["items"]
    assert isinstance(items, list)
    assert [(item["email"], item["list"], item["change"], item["via"], item["repeats"]) for item in items] == [
        ("eva.berg@kund.example.com", "NEWS01", "added", "lists", 1),
        ("bo@kund.example.com", "NEWS01", "added", "lists", 0),
        ("bo@kund.example.com", "NEWS01", "removed", "lists", 1),
    ]
    assert sandbox.ledger("lists")["totals"] == {"applied": 3, "repeats": 2, "requests": 4}
    assert sandbox.ledger("subscriptions")["items"] == []


def test_a_removal_of_somebody_who_was_never_on_the_list_was_never_applied(sandbox: Sandbox) -> None:
    eva = sandbox.post("/api/profile-import", upsert()).json()["data"]["id"]
    assert [remove(sandbox, eva).status_code for _ in range(2)] == [204, 204]
    assert sandbox.ledger("lists")["totals"] == {"applied": 0, "repeats": 2, "requests": 2}


def test_a_member_must_be_a_profile_and_the_list_must_exist(sandbox: Sandbox) -> None:
    eva = sandbox.post("/api/profile-import", upsert()).json()["data"]["id"]
    assert faults_of(sandbox.post(MEMBERS, references(eva, "eva@kund.example.com"))) == [("invalid", "/data/1/id")]
    assert sandbox.post("/api/lists/NOPE01/relationships/profiles", references(eva)).status_code == 404
    assert sandbox.post(MEMBERS, references()).status_code == 400
    assert sandbox.post(MEMBERS, references(*[eva] * 1001)).status_code == 400
    assert sandbox.ledger("lists")["items"] == []


def test_the_account_tells_who_it_is(sandbox: Sandbox) -> None:
    account = sandbox.get("/api/accounts").json()["data"]
    assert [entry["id"] for entry in account] == ["SANDBX"]
    assert account[0]["attributes"]["preferred_currency"] == "EUR"
