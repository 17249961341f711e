from __future__ import annotations

from collections.abc import Callable

import pytest

from app.klaviyo.sandbox import Account, Key
from tests.klaviyo_sandbox.bodies import event, new_list
from tests.klaviyo_sandbox.conftest import HEADERS, NOON, Sandbox, faults_of


def accounts_call(sandbox: Sandbox) -> int:
    return sandbox.get("/api/accounts").status_code


def test_a_full_second_is_throttled_until_it_is_over(sandbox: Sandbox) -> None:
    sandbox.clock.now = NOON + 0.25
    assert accounts_call(sandbox) == 200
    refused = sandbox.get("/api/accounts")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert "RateLimit-Remaining" not in refused.headers
    assert faults_of(refused) == [("throttled", "/data/")]
    entry = refused.json()["errors"][0]
    assert entry["detail"] == "Request was throttled. Expected available in 1 second."
    sandbox.clock.now = NOON + 1.2
    assert accounts_call(sandbox) == 429
    sandbox.clock.now = NOON + 1.25
    assert accounts_call(sandbox) == 200


def test_a_full_minute_tells_how_long_it_still_lasts(sandbox: Sandbox) -> None:
    for second in range(15):
        sandbox.clock.now = NOON + second
        answer = sandbox.get("/api/accounts")
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Limit"] == "15"
        assert answer.headers["RateLimit-Remaining"] == str(14 - second)
        assert answer.headers["RateLimit-Reset"] == str(60 - second)
    sandbox.clock.now = NOON + 20.5
    assert sandbox.get("/api/accounts").headers["Retry-After"] == "40"
    sandbox.clock.now = NOON + 59.9
    assert sandbox.get("/api/accounts").headers["Retry-After"] == "1"
    sandbox.clock.now = NOON + 60
    assert accounts_call(sandbox) == 200


def test_windows_begin_with_the_first_call_or_with_the_clock(sandbox: Sandbox) -> None:
    sandbox.clock.now = NOON + 0.75
    assert [accounts_call(sandbox), accounts_call(sandbox)] == [200, 429]
    sandbox.clock.now = NOON + 1
    assert accounts_call(sandbox) == 429
    assert sandbox.http.post("/sandbox/clock", json={"aligned": True}).json() == {"scale": 1.0, "aligned": True}
    sandbox.clock.now = NOON + 0.75
    assert [accounts_call(sandbox), accounts_call(sandbox)] == [200, 429]
    sandbox.clock.now = NOON + 1
    assert accounts_call(sandbox) == 200


def test_a_scaled_minute_passes_sooner_and_its_answers_stay_true(sandbox: Sandbox) -> None:
    sandbox.http.post("/sandbox/clock", json={"scale": 30})
    for call in range(15):
        sandbox.clock.now = NOON + call / 30
        assert accounts_call(sandbox) == 200
    sandbox.clock.now = NOON + 0.5
    refused = sandbox.get("/api/accounts")
    assert refused.headers["Retry-After"] == "2"
    sandbox.clock.now = NOON + 1.99
    assert accounts_call(sandbox) == 429
    sandbox.clock.now = NOON + 2
    assert accounts_call(sandbox) == 200


@pytest.mark.parametrize(
    ("method", "path", "burst"),
    [
        ("POST", "/api/event-bulk-create-jobs", 10),
        ("POST", "/api/profile-import", 75),
        ("POST", "/api/profile-bulk-import-jobs", 10),
        ("POST", "/api/profile-subscription-bulk-create-jobs", 75),
        ("POST", "/api/profile-subscription-bulk-delete-jobs", 75),
        ("POST", "/api/lists/NEWS01/relationships/profiles", 10),
        ("DELETE", "/api/lists/NEWS01/relationships/profiles", 10),
        ("GET", "/api/lists", 75),
        ("GET", "/api/metrics", 10),
        ("GET", "/api/accounts", 1),
        ("GET", "/api/profiles", 75),
        ("POST", "/api/data-privacy-deletion-jobs", 3),
    ],
)
def test_every_endpoint_has_the_burst_of_its_tier(sandbox: Sandbox, method: str, path: str, burst: int) -> None:
    def call() -> int:
        content = None if method == "GET" else b"{}"
        return sandbox.http.request(method, path, headers=HEADERS, content=content).status_code

    assert 429 not in [call() for _ in range(burst)]
    assert call() == 429


def test_endpoints_and_accounts_have_windows_of_their_own(play: Callable[..., Sandbox]) -> None:
    sandbox = play(accounts=(Account("OTHER1"),), keys=(Key("pk_other", "OTHER1"), Key("pk_second", "SANDBX")))
    other = HEADERS | {"Authorization": "Klaviyo-API-Key pk_other"}
    second = HEADERS | {"Authorization": "Klaviyo-API-Key pk_second"}
    assert [accounts_call(sandbox), accounts_call(sandbox)] == [200, 429]
    assert sandbox.http.get("/api/accounts", headers=other).status_code == 200
    assert sandbox.http.get("/api/accounts", headers=second).status_code == 429
    assert sandbox.get("/api/lists").status_code == 200
    assert sandbox.post("/api/lists", new_list("x")).headers["RateLimit-Remaining"] == "149"


def test_a_list_can_be_created_150_times_a_day(sandbox: Sandbox) -> None:
    for n in range(150):
        sandbox.clock.now = NOON + n
        assert sandbox.post("/api/lists", new_list(f"List {n}")).status_code == 201
    sandbox.clock.now = NOON + 3600
    assert sandbox.post("/api/lists", new_list("one too many")).headers["Retry-After"] == "82800"
    sandbox.clock.now = NOON + 86_400
    assert sandbox.post("/api/lists", new_list("the next day")).status_code == 201


def test_a_refused_body_counts_and_an_unknown_key_does_not(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", {})
    sandbox.post("/api/events", {}, Authorization="Klaviyo-API-Key pk_unknown")
    assert sandbox.post("/api/events", event()).headers["RateLimit-Remaining"] == "3498"
