"""Every row of the outcome table, and how Klaviyo's pointers are read."""

from __future__ import annotations

import json

import pytest

from app.klaviyo.outcomes import Meaning, Reply, judge, retry_after


def error_body(*pointers: str, detail: str = "Invalid input.", code: str = "invalid") -> bytes:
    errors = [
        {"id": "e1", "status": 400, "code": code, "title": "Bad.", "detail": detail, "source": {"pointer": pointer}}
        for pointer in pointers
    ]
    return json.dumps({"errors": errors}).encode()


def reply(status: int | None, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): text for name, text in headers.items()}, body, "timeout")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Meaning.ACCEPTED), (201, Meaning.ACCEPTED), (202, Meaning.ACCEPTED), (204, Meaning.ACCEPTED),
        (None, Meaning.RETRY), (500, Meaning.RETRY), (502, Meaning.RETRY), (504, Meaning.RETRY), (520, Meaning.RETRY),
        (524, Meaning.RETRY), (307, Meaning.RETRY), (408, Meaning.RETRY),
        (429, Meaning.THROTTLED), (503, Meaning.THROTTLED),
        (401, Meaning.PAUSE), (403, Meaning.PAUSE), (410, Meaning.PAUSE),
        (400, Meaning.REJECTED), (404, Meaning.REJECTED), (405, Meaning.REJECTED), (409, Meaning.REJECTED),
        (413, Meaning.REJECTED), (415, Meaning.REJECTED), (525, Meaning.REJECTED),
    ],
)  # fmt: skip
def test_a_single_command_by_status(status: int | None, meaning: Meaning) -> None:
    assert judge(reply(status), 1, 0.0).meaning is meaning


@pytest.mark.parametrize(("status", "meaning"), [(400, Meaning.REPAIR), (413, Meaning.REPAIR), (404, Meaning.REJECTED)])
def test_a_batch_by_status(status: int, meaning: Meaning) -> None:
    assert judge(reply(status), 2, 0.0).meaning is meaning


def test_an_html_403_is_the_edge_and_not_a_missing_scope() -> None:
    assert judge(reply(403, b"<html>", content_type="text/html"), 1, 0.0).meaning is Meaning.RETRY
    assert judge(reply(403, b"", cf_mitigated="challenge"), 1, 0.0).meaning is Meaning.RETRY


@pytest.mark.parametrize(
    "pointer",
    [
        "/data/attributes/events-bulk-create/data/7/attributes/profile",
        "/data/attributes/profiles/data/7/attributes/phone_number",
        "/data/7/attributes/email",
        "/data/attributes/events-bulk-create/data/7",
    ],
)
def test_the_index_is_the_first_number_behind_data(pointer: str) -> None:
    assert set(judge(reply(400, error_body(pointer)), 9, 0.0).items) == {7}


@pytest.mark.parametrize("pointer", ["/data", "/data/", "/data/attributes", "phone_number", ""])
def test_a_pointer_without_an_index_points_at_nobody(pointer: str) -> None:
    outcome = judge(reply(400, error_body(pointer)), 9, 0.0)
    assert outcome.meaning is Meaning.REPAIR
    assert not outcome.items


def test_each_pointed_item_keeps_its_own_text() -> None:
    body = json.dumps(
        {
            "errors": [
                {"title": "A.", "detail": "bad email", "source": {"pointer": "/data/attributes/x/data/2/email"}},
                {"title": "B.", "detail": "bad phone", "source": {"pointer": "/data/attributes/x/data/5/phone_number"}},
            ]
        }
    ).encode()
    outcome = judge(reply(400, body), 9, 0.0)
    assert outcome.items[2].startswith("A. bad email")
    assert outcome.items[5].startswith("B. bad phone")
    assert outcome.phones == {5}


@pytest.mark.parametrize(
    "body",
    [
        error_body("/data/attributes/profile/data/attributes/phone_number"),
        error_body("phone_number"),
        error_body("/data/attributes", code="duplicate_profile"),
    ],
)
def test_a_refused_phone_of_a_single_command_is_repaired(body: bytes) -> None:
    outcome = judge(reply(400, body), 1, 0.0)
    assert (outcome.meaning, outcome.phones) == (Meaning.REPAIR, frozenset({0}))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"errors":{}}', b'{"errors":[1]}', b"\xff\xfe"])
def test_an_unreadable_body_changes_nothing_of_the_meaning(body: bytes) -> None:
    assert judge(reply(400, body), 1, 0.0).meaning is Meaning.REJECTED
    assert judge(reply(400, body), 5, 0.0).meaning is Meaning.REPAIR


def test_the_text_of_klaviyo_is_kept() -> None:
    outcome = judge(reply(400, error_body("/data", detail="Unit 'x' is unknown")), 1, 0.0)
    assert "400" in outcome.detail
    assert "Unit 'x' is unknown" in outcome.detail


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0), ("0", 0.0), ("90", 90.0), ("99999", 3600.0), (None, None), ("soon", None), ("-5", None), ("", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_never_negative(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, now=100.0) == seconds


def test_a_throttled_lane_waits_as_told() -> None:
    assert judge(reply(429, b"", retry_after="17"), 1, 0.0).wait == 17.0
    assert judge(reply(429), 1, 0.0).wait is None
