from __future__ import annotations

import hashlib
import json

from tests.klaviyo_sandbox.bodies import bulk, event, event_attributes, group, new_list, profile, subscribe, subscriber
from tests.klaviyo_sandbox.conftest import HEADERS, NOON, Sandbox


def test_the_ledger_is_read_in_pages_and_in_short(sandbox: Sandbox) -> None:
    events = [event_attributes(unique_id=f"u{n}") for n in range(5)]
    sandbox.post("/api/event-bulk-create-jobs", bulk(group(profile(), *events)))
    page = sandbox.http.get("/sandbox/ledger?kind=events&fields=ids&limit=2&offset=1").json()
    assert page["totals"] == {"applied": 5, "repeats": 0, "requests": 1}
    assert page["items"] == [
        {"account": "SANDBX", "metric": "Placed Order", "unique_id": "u1", "repeats": 0},
        {"account": "SANDBX", "metric": "Placed Order", "unique_id": "u2", "repeats": 0},
    ]
    assert sandbox.http.get("/sandbox/ledger").status_code == 422
    assert sandbox.http.get("/sandbox/ledger?kind=everything").status_code == 422


def test_the_ledger_can_be_asked_about_one_account(sandbox: Sandbox) -> None:
    sandbox.http.post("/sandbox/keys", json={"key": "pk_other", "account": "OTHER1"})
    sandbox.post("/api/events", event())
    sandbox.post("/api/events", event(), Authorization="Klaviyo-API-Key pk_other")
    every = sandbox.http.get("/sandbox/ledger?kind=events").json()
    assert [item["account"] for item in every["items"]] == ["SANDBX", "OTHER1"]
    one = sandbox.http.get("/sandbox/ledger?kind=events&account=OTHER1").json()
    assert one["totals"]["applied"] == 1
    assert [item["account"] for item in one["items"]] == ["OTHER1"]


def test_clearing_forgets_what_was_applied_and_nothing_else(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event())
    sandbox.post("/api/lists", new_list("Kept"))
    sandbox.post("/api/profile-subscription-bulk-create-jobs", subscribe(subscriber(), list_id="NEWS01"))
    sandbox.fault({"status": 500}, skip=100)
    assert sandbox.http.delete("/sandbox/ledger").status_code == 204
    for kind in ("events", "profiles", "subscriptions", "lists"):
        assert sandbox.ledger(kind) == {
            "kind": kind,
            "totals": {"applied": 0, "repeats": 0, "requests": 0},
            "items": [],
        }
    assert len(sandbox.get("/api/lists").json()["data"]) == 3
    assert len(sandbox.http.get("/sandbox/faults").json()) == 1
    sandbox.post("/api/events", event())
    assert sandbox.ledger("events")["totals"] == {"applied": 1, "repeats": 0, "requests": 1}


def test_calls_are_written_down_without_the_key(sandbox: Sandbox) -> None:
    body = json.dumps(bulk(group(profile(), event_attributes(), event_attributes(unique_id="2")))).encode()
    sandbox.clock.now = NOON + 0.5
    sandbox.http.post("/api/event-bulk-create-jobs/", content=body, headers=HEADERS | {"User-Agent": "test/1"})
    sandbox.get("/api/lists", filter='any(name,["x"])')
    sandbox.post("/api/events", {}, Authorization="Klaviyo-API-Key pk_unknown")
    calls = sandbox.http.get("/sandbox/calls").json()
    assert calls["total"] == 3
    first, second, third = calls["items"]
    assert first == {
        "number": 1,
        "method": "POST",
        "path": "/api/event-bulk-create-jobs",
        "query": "",
        "account": "SANDBX",
        "status": 202,
        "items": 2,
        "received_at": 1795176000.5,
        "fault": False,
        "digest": hashlib.sha256(body).hexdigest(),
        "headers": {
            "accept": "*/*",
            "content-length": str(len(body)),
            "content-type": "application/vnd.api+json",
            "revision": "2026-10-15",
            "user-agent": "test/1",
        },
    }
    assert (second["method"], second["query"]) == ("GET", "filter=any%28name%2C%5B%22x%22%5D%29")
    assert (third["account"], third["status"], third["items"]) == (None, 401, 0)
    assert "pk_" not in json.dumps(calls)
    only_lists = sandbox.http.get("/sandbox/calls?path=/api/lists").json()["items"]
    assert [call["number"] for call in only_lists] == [2]
    assert sandbox.http.delete("/sandbox/calls").status_code == 204
    assert sandbox.http.get("/sandbox/calls").json() == {"total": 0, "items": []}


def test_a_key_is_revoked_restored_narrowed_and_moved(sandbox: Sandbox) -> None:
    def change(**more: object) -> dict[str, object]:
        state = sandbox.http.post("/sandbox/keys", json={"key": "pk_sandbox", **more}).json()
        assert isinstance(state, dict)
        return state

    assert change(revoked=True) == {"key": "pk_sandbox", "account": "SANDBX", "scopes": None, "revoked": True}
    assert sandbox.post("/api/events", event()).status_code == 401
    assert change(scopes=["lists:read"])["revoked"] is True
    assert change(revoked=False)["scopes"] == ["lists:read"]
    assert sandbox.post("/api/events", event()).status_code == 403
    change(scopes=None)
    assert sandbox.post("/api/events", event()).headers["CID"] == "SANDBX"
    change(account="OTHER1")
    assert sandbox.post("/api/events", event()).headers["CID"] == "OTHER1"
    assert sandbox.http.post("/sandbox/keys", json={"key": "x", "scopes": ["everything"]}).status_code == 422


def test_an_account_made_with_its_key_has_its_own_public_key(sandbox: Sandbox) -> None:
    sandbox.http.post("/sandbox/keys", json={"key": "pk_other", "account": "OTHER1"})
    (told,) = sandbox.http.get("/api/accounts", headers=HEADERS | {"Authorization": "Klaviyo-API-Key pk_other"}).json()[
        "data"
    ]
    assert (told["id"], told["attributes"]["public_api_key"]) == ("OTHER1", "OTHER1")


def test_the_sandboxs_own_routes_are_described_and_no_page_loads_from_elsewhere(sandbox: Sandbox) -> None:
    assert [sandbox.http.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]
    paths = sandbox.http.get("/openapi.json").json()["paths"]
    assert {path: sorted(methods) for path, methods in paths.items()} == {
        "/sandbox/ledger": ["delete", "get"],
        "/sandbox/calls": ["delete", "get"],
        "/sandbox/faults": ["delete", "get", "post"],
        "/sandbox/keys": ["post"],
        "/sandbox/clock": ["post"],
    }
