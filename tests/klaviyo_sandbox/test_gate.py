from __future__ import annotations

import httpx
import pytest

from tests.klaviyo_sandbox.bodies import event
from tests.klaviyo_sandbox.conftest import HEADERS, Sandbox, faults_of


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in HEADERS.items() if key != name}


def test_an_accepted_event_is_answered_empty_with_the_state_of_the_minute(sandbox: Sandbox) -> None:
    answer = sandbox.post("/api/events", event())
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["RateLimit-Limit"] == "3500"
    assert answer.headers["RateLimit-Remaining"] == "3499"
    assert answer.headers["RateLimit-Reset"] == "60"
    assert answer.headers["CID"] == "SANDBX"
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize(
    "authorization", [None, "Klaviyo-API-Key pk_unknown", "pk_sandbox", "Bearer pk_sandbox", "Klaviyo-API-Key"]
)
def test_a_missing_or_unknown_key_is_401(sandbox: Sandbox, authorization: str | None) -> None:
    headers = without("Authorization") | ({"Authorization": authorization} if authorization else {})
    answer = sandbox.http.post("/api/events", json=event(), headers=headers)
    assert answer.status_code == 401
    entry = answer.json()["errors"][0]
    assert set(entry) == {"id", "status", "code", "title", "detail", "source", "links", "meta"}
    assert entry["status"] == 401
    assert "RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize("revision", [None, "2026-10-16", "latest", "2027-01-15", ""])
def test_a_missing_or_unknown_revision_is_400(sandbox: Sandbox, revision: str | None) -> None:
    headers = without("revision") | ({"revision": revision} if revision is not None else {})
    answer = sandbox.http.post("/api/events", json=event(), headers=headers)
    assert answer.status_code == 400
    assert faults_of(answer) == [("invalid", "revision")]


def test_a_retired_revision_falls_forward_unless_the_client_opts_out(sandbox: Sandbox) -> None:
    assert sandbox.post("/api/events", event(), revision="2024-02-15").status_code == 202
    opted_out = {"revision": "2024-02-15", "X-Klaviyo-Revision-Fall-Forward-Opt-Out": "1"}
    assert sandbox.post("/api/events", event(), **opted_out).status_code == 410
    living = {"revision": "2025-01-15", "X-Klaviyo-Revision-Fall-Forward-Opt-Out": "1"}
    assert sandbox.post("/api/events", event(), **living).status_code == 202


def test_a_scope_that_the_key_lacks_is_a_json_403(sandbox: Sandbox) -> None:
    sandbox.http.post("/sandbox/keys", json={"key": "pk_narrow", "scopes": ["events:write", "lists:read"]})
    narrow = HEADERS | {"Authorization": "Klaviyo-API-Key pk_narrow"}
    assert sandbox.http.post("/api/events", json=event(), headers=narrow).status_code == 202
    assert sandbox.http.get("/api/lists", headers=narrow).status_code == 200
    refused = sandbox.http.get("/api/accounts", headers=narrow)
    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/vnd.api+json"
    assert faults_of(refused) == [("permission_denied", "/data/")]
    assert "accounts:read" in refused.json()["errors"][0]["detail"]


def test_a_bulk_import_needs_the_scope_of_lists_even_without_a_list(sandbox: Sandbox) -> None:
    sandbox.http.post("/sandbox/keys", json={"key": "pk_narrow", "scopes": ["profiles:write"]})
    narrow = HEADERS | {"Authorization": "Klaviyo-API-Key pk_narrow"}
    assert sandbox.http.post("/api/profile-bulk-import-jobs", json={}, headers=narrow).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_another_media_type_or_encoding_is_415(sandbox: Sandbox, headers: dict[str, str]) -> None:
    answer = sandbox.http.post("/api/events", content=b"{}", headers=HEADERS | headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.api+json"])
def test_both_json_types_are_taken(sandbox: Sandbox, kind: str) -> None:
    assert sandbox.post("/api/events", event(), **{"Content-Type": kind}).status_code == 202


def test_a_body_beyond_5_mb_is_413(sandbox: Sandbox) -> None:
    body = b" " * 4_999_998 + b"{}"
    assert sandbox.http.post("/api/events", content=body, headers=HEADERS).status_code == 400
    assert sandbox.http.post("/api/events", content=b" " + body, headers=HEADERS).status_code == 413


def test_an_upsert_beyond_100_kb_is_413(sandbox: Sandbox) -> None:
    body = b" " * 99_998 + b"{}"
    assert sandbox.http.post("/api/profile-import", content=body, headers=HEADERS).status_code == 400
    assert sandbox.http.post("/api/profile-import", content=b" " + body, headers=HEADERS).status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"data":NaN}', b'{"data":{"type":"\\ud800"}}', b"[" * 5000]
)
def test_what_is_no_json_object_is_400(sandbox: Sandbox, body: bytes) -> None:
    answer = sandbox.http.post("/api/events", content=body, headers=HEADERS)
    assert answer.status_code == 400
    assert faults_of(answer)


def test_paths_are_taken_with_and_without_a_slash_at_the_end(sandbox: Sandbox) -> None:
    assert sandbox.post("/api/events/", event()).status_code == 202
    assert sandbox.get("/api/lists/NEWS01/").status_code == 200


def test_an_unknown_path_is_404_and_an_unknown_method_405(sandbox: Sandbox) -> None:
    assert sandbox.get("/api/flows").status_code == 404
    assert sandbox.get("/api/lists/NOPE01").status_code == 404
    wrong_method = sandbox.http.put("/api/events", json=event(), headers=HEADERS)
    assert wrong_method.status_code == 405
    assert wrong_method.headers["Allow"] == "GET, POST"


def test_an_unknown_query_parameter_is_400(sandbox: Sandbox) -> None:
    for name in ("page", "sort", "filters"):
        answer = sandbox.get("/api/lists", **{name: "name"})
        assert answer.status_code == 400
        assert faults_of(answer) == [("invalid", name)]


def test_one_connection_carries_many_calls(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.url, limits=httpx.Limits(max_connections=1)) as one:
        statuses = [one.post("/api/events", json=event(), headers=HEADERS).status_code for _ in range(3)]
    assert statuses == [202, 202, 202]
