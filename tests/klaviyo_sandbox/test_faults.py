"""Every fault as a client sees it, over a real socket."""

from __future__ import annotations

import errno
import json
import socket
import time

import httpx
import pytest

from tests.klaviyo_sandbox.bodies import event
from tests.klaviyo_sandbox.conftest import HEADERS, Sandbox, faults_of


def applied(sandbox: Sandbox) -> int:
    totals = sandbox.ledger("events")["totals"]
    assert isinstance(totals, dict)
    count = totals["applied"]
    assert isinstance(count, int)
    return count


def test_a_status_replaces_the_call_once(sandbox: Sandbox) -> None:
    sandbox.fault({"status": 503, "headers": {"X-Reason": "maintenance"}})
    refused = sandbox.post("/api/events", event())
    assert (refused.status_code, refused.headers["X-Reason"]) == (503, "maintenance")
    assert faults_of(refused) == [("error", "/data/")]
    assert applied(sandbox) == 0
    assert sandbox.post("/api/events", event()).status_code == 202
    assert applied(sandbox) == 1


def test_a_status_can_come_although_the_call_was_applied(sandbox: Sandbox) -> None:
    sandbox.fault({"status": 500, "applied": True})
    assert sandbox.post("/api/events", event()).status_code == 500
    assert applied(sandbox) == 1


def test_a_body_is_answered_as_scripted(sandbox: Sandbox) -> None:
    errors = {"errors": [{"id": "1", "code": "invalid", "title": "t", "detail": "d", "source": {"pointer": "/data"}}]}
    sandbox.fault({"status": 400, "body": errors})
    sandbox.fault({"status": 502, "body": "bad gateway"})
    assert sandbox.post("/api/events", event()).json() == errors
    plain = sandbox.post("/api/events", event())
    assert (plain.text, plain.headers["Content-Type"]) == ("bad gateway", "text/plain; charset=utf-8")


def test_retry_after_alone_is_a_429(sandbox: Sandbox) -> None:
    sandbox.fault({"retry_after": 7})
    refused = sandbox.post("/api/events", event())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert faults_of(refused) == [("throttled", "/data/")]


def test_headers_alone_decorate_the_true_answer(sandbox: Sandbox) -> None:
    sandbox.fault({"headers": {"X-Klaviyo-Partial-Failure": "phone_number"}})
    answer = sandbox.post("/api/events", event())
    assert (answer.status_code, answer.headers["X-Klaviyo-Partial-Failure"]) == (202, "phone_number")
    assert answer.headers["RateLimit-Limit"] == "3500"
    assert applied(sandbox) == 1


def test_cloudflares_page_is_a_403_that_is_no_json(sandbox: Sandbox) -> None:
    sandbox.fault({"html": True})
    page = sandbox.post("/api/events", event())
    assert (page.status_code, page.headers["cf-mitigated"]) == (403, "challenge")
    assert page.headers["Content-Type"].startswith("text/html")
    assert applied(sandbox) == 0


@pytest.mark.parametrize(("moment", "effects"), [("before", 0), ("after", 1)])
def test_a_reset_connection_is_seen_as_one_and_is_applied_or_not(sandbox: Sandbox, moment: str, effects: int) -> None:
    sandbox.fault({"reset": moment})
    with pytest.raises(httpx.ReadError):
        sandbox.post("/api/events", event())
    assert applied(sandbox) == effects
    assert sandbox.post("/api/events", event()).status_code == 202
    assert sandbox.ledger("events")["totals"] == {"applied": 1, "repeats": effects, "requests": 1 + effects}
    calls = sandbox.http.get("/sandbox/calls").json()["items"]
    assert [(call["status"], call["fault"]) for call in calls] == [(None, True), (202, False)]


def test_a_reset_is_an_rst_on_the_wire(sandbox: Sandbox) -> None:
    sandbox.fault({"reset": "after"})
    body = json.dumps(event()).encode()
    lines = {**HEADERS, "Host": "sandbox", "Content-Length": str(len(body))}
    head = "POST /api/events HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(head.encode() + b"\r\n" + body)
        with pytest.raises(ConnectionResetError) as caught:
            raw.recv(1)
    assert caught.value.errno == errno.ECONNRESET
    assert applied(sandbox) == 1


def test_a_delay_holds_the_answer_and_not_the_effect(sandbox: Sandbox) -> None:
    sandbox.fault({"delay_ms": 300})
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/api/events", json=event(), headers=HEADERS, timeout=0.1)
    assert applied(sandbox) == 1
    sandbox.fault({"delay_ms": 200})
    start = time.monotonic()
    assert sandbox.post("/api/events", event()).status_code == 202
    assert time.monotonic() - start >= 0.2


def test_a_dribbled_answer_outlives_every_single_read_timeout(sandbox: Sandbox) -> None:
    sandbox.fault({"dribble_ms": 2})
    start = time.monotonic()
    answer = sandbox.http.get("/api/lists", headers=HEADERS, timeout=0.5)
    assert time.monotonic() - start > 0.6
    assert answer.json()["data"][0]["id"] == "NEWS01"


@pytest.mark.parametrize("path", ["/api/lists", "/api/events"])
def test_a_truncated_answer_ends_too_early(sandbox: Sandbox, path: str) -> None:
    sandbox.fault({"truncate": True})
    with pytest.raises(httpx.RemoteProtocolError):
        if path == "/api/events":
            sandbox.post(path, event())
        else:
            sandbox.get(path)
    assert applied(sandbox) == (1 if path == "/api/events" else 0)


def test_a_rule_is_about_the_calls_it_names(sandbox: Sandbox) -> None:
    sandbox.http.post("/sandbox/keys", json={"key": "pk_other", "account": "OTHER1"})
    other = {"Authorization": "Klaviyo-API-Key pk_other"}
    lists = {"path": "/api/lists/*/relationships/profiles", "method": "delete"}
    sandbox.fault({"status": 500}, match=lists, times=None)
    sandbox.fault({"status": 502}, match={"account": "OTHER1"}, times=None)
    assert sandbox.post("/api/lists/NEWS01/relationships/profiles", {}).status_code == 400
    removed = sandbox.http.request("DELETE", "/api/lists/NEWS01/relationships/profiles/", json={}, headers=HEADERS)
    assert removed.status_code == 500
    assert sandbox.post("/api/events", event()).status_code == 202
    assert sandbox.post("/api/events", event(), **other).status_code == 502


def test_a_rule_waits_acts_and_is_used_up(sandbox: Sandbox) -> None:
    sandbox.fault({"status": 500}, skip=1, times=2)
    sandbox.fault({"status": 502})
    statuses = [sandbox.post("/api/events", event()).status_code for _ in range(5)]
    assert statuses == [502, 500, 500, 202, 202]
    reports = sandbox.http.get("/sandbox/faults").json()
    assert [(report["matched"], report["acted"]) for report in reports] == [(3, 2), (1, 1)]
    assert sandbox.http.delete("/sandbox/faults").status_code == 204
    assert sandbox.http.get("/sandbox/faults").json() == []


def test_chance_is_repeatable(sandbox: Sandbox) -> None:
    def run() -> list[int]:
        sandbox.http.delete("/sandbox/faults")
        sandbox.fault({"status": 500}, times=None, probability=0.5, seed=11)
        return [sandbox.post("/api/events", event()).status_code for _ in range(20)]

    first = run()
    assert first == run()
    assert set(first) == {202, 500}


def test_a_fault_that_cannot_be_is_refused(sandbox: Sandbox) -> None:
    for action in ({"reset": "during"}, {"status": 99}, {"sleep": 5}):
        assert sandbox.http.post("/sandbox/faults", json=[{"action": action}]).status_code == 422
    assert sandbox.http.get("/sandbox/faults").json() == []
