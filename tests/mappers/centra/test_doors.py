"""What arrives at Centra's doors and is not what it should be: one reason each, never a crash."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connections import Connected
from app.judge import Judged, Missing, judge
from app.mappers.centra.source import SOURCE
from tests.mappers.golden import ACCOUNT, door_of

WEBHOOKS, EVENTS = door_of(SOURCE, "webhooks"), door_of(SOURCE, "events")
CONNECTED = Connected("c", SOURCE, ACCOUNT, True, {}, {"base_currency": "SEK"}, {})
EVENT: dict[str, Any] = {
    "event_id": "1",
    "metric": "Reset Password",
    "occurred_at": "2026-11-20T12:00:00Z",
    "customer": {"email": "a@shop.example.com"},
    "data": {"PasswordResetLink": "https://shop.example.com/r"},
}


def ends(door: Any, raw: bytes) -> list[tuple[str, str]]:
    return [
        (result.state if isinstance(result, Judged) else "waiting", result.reason)
        for result in judge(CONNECTED, door, raw, {})
    ]


def form(payload: object) -> bytes:
    return urlencode({"payload": orjson.dumps(payload)}).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no field payload"),
        (b"{}", "no field payload"),
        (b"Payload=%7B%7D", "no field payload"),
        (b"payload=", "not JSON"),
        (b"payload=%7B", "not JSON"),
        (b"payload=" + b"%5B" * 100_000, "not JSON"),
        (b"payload=NaN", "not JSON"),
        (b"payload=%22x%22", "no JSON object"),
        (b"payload=3", "no JSON object"),
        (b"payload=%5B1%5D", "no JSON object"),
        (b"payload=%7B%22events%22%3A1%7D", "events is no list"),
        (b"&".join(b"a%d=1" % n for n in range(1000)), "not a form"),
        (b"\xff\xfe\x00", "no field payload"),
    ],
)
def test_a_call_that_is_not_centras(raw: bytes, reason: str) -> None:
    ((state, said),) = ends(WEBHOOKS, raw)
    assert state == "quarantined"
    assert reason in said


@pytest.mark.parametrize("payload", [b"payload=%5B%5D", b"payload=%7B%7D", b"payload=%7B%22events%22%3A%5B%5D%7D"])
def test_an_empty_call_is_nothing(payload: bytes) -> None:
    assert [state for state, _ in ends(WEBHOOKS, payload)] == ["ignored"]


@pytest.mark.parametrize("number", [None, "", True, [], {}, 1.5])
def test_a_record_without_a_number_is_quarantined(number: object) -> None:
    ((state, reason),) = ends(WEBHOOKS, form({"events": [{"type": "order", "action": "update", "id": number}]}))
    assert (state, reason) == ("quarantined", "/id: a record's number is expected")


@pytest.mark.parametrize("event", [None, 1, "order", [], {}, {"type": None, "id": 1}, {"type": "wormhole", "id": 1}])
def test_an_event_nobody_knows_is_kept_as_unknown(event: object) -> None:
    assert [state for state, _ in ends(WEBHOOKS, form({"events": [event]}))] == ["unknown"]


@pytest.mark.parametrize("action", ["insert", "update", "good_to_go", "", "Ünknown", 7, None])
def test_any_action_will_do_and_a_number_may_be_a_text(action: object) -> None:
    raw = form({"events": [{"type": "order", "action": action, "id": number} for number in (20551, "20551")]})
    assert [state for state, _ in ends(WEBHOOKS, raw)] == ["waiting", "waiting"]
    needs = {result.need for result in judge(CONNECTED, WEBHOOKS, raw, {}) if isinstance(result, Missing)}
    assert len(needs) == 1


def test_a_hundred_events_in_one_call() -> None:
    raw = form({"events": [{"type": "order", "action": "update", "id": n} for n in range(1, 101)]})
    assert len(ends(WEBHOOKS, raw)) == 100


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"occurred_at": "2026-11-20T12:00:00"}, "/occurred_at"),
        ({"occurred_at": "2026-11-20"}, "/occurred_at"),
        ({"occurred_at": 1795176000}, "/occurred_at"),
        ({"occurred_at": "1815-11-20T12:00:00Z"}, "/occurred_at"),
        ({"event_id": ""}, "/event_id"),
        ({"event_id": "x" * 256}, "/event_id"),
        ({"event_id": None}, "/event_id"),
        ({"customer": None}, "/customer"),
        ({"customer": {}}, "/customer"),
        ({"customer": {"email": "nobody"}}, "/customer"),
        ({"data": {}}, "/data/PasswordResetLink"),
        ({"data": {"PasswordResetLink": ""}}, "/data/PasswordResetLink"),
        ({"data": []}, "/data"),
    ],
)
def test_a_pushed_event_that_is_wrong_says_where_and_never_what(change: dict[str, Any], pointer: str) -> None:
    ((state, reason),) = ends(EVENTS, orjson.dumps({**EVENT, **change}))
    assert state == "quarantined"
    assert reason.startswith(pointer)
    assert "nobody" not in reason.split(":", 1)[0]


@pytest.mark.parametrize("amount", ["1,00", "1 000.00", "NaN", "1e3", "", True, [], "9" * 30, "--1", "١"])
def test_an_amount_that_is_none_is_quarantined(amount: object) -> None:
    data = {"$event_id": "1", "TaxAmount": amount}
    ((state, reason),) = ends(EVENTS, orjson.dumps({**EVENT, "metric": "Placed Order", "data": data}))
    assert (state, reason.split(":")[0]) == ("quarantined", "/data/TaxAmount")


def test_a_value_below_zero_is_quarantined() -> None:
    data = {"$event_id": "1", "$value": -5}
    ((state, reason),) = ends(EVENTS, orjson.dumps({**EVENT, "metric": "Placed Order", "data": data}))
    assert (state, reason) == ("quarantined", "/data/$value: below zero")


def test_one_wrong_event_does_not_cost_the_others() -> None:
    raw = orjson.dumps([EVENT, {**EVENT, "customer": {}}, {"metric": "Wormhole"}, 7, EVENT])
    assert [state for state, _ in ends(EVENTS, raw)] == ["mapped", "quarantined", "unknown", "unknown", "mapped"]


def test_more_than_a_hundred_pushed_events_are_quarantined_with_the_reason() -> None:
    assert ends(EVENTS, orjson.dumps([EVENT] * 101)) == [("quarantined", "more than 100 events in one call")]


def test_the_receipt_judges_every_item() -> None:
    assert EVENTS.receipt is not None
    raw = orjson.dumps([EVENT, {**EVENT, "event_id": "2", "customer": None}, {**EVENT, "metric": "Wormhole"}, 7])
    answer = orjson.loads(EVENTS.receipt(raw, 7, True))
    assert (answer["webhook"], answer["duplicate"]) == ("7", False)
    assert [item["result"] for item in answer["items"]] == ["accepted", "quarantined", "unknown", "quarantined"]
    assert answer["items"][1] == {
        "event_id": "2", "result": "quarantined", "detail": "/customer: Input should be a valid dictionary",
    }  # fmt: skip
    broken = orjson.loads(EVENTS.receipt(b"{", 7, False))
    assert broken["duplicate"] is True
    assert broken["items"][0]["result"] == "quarantined"
    assert broken["items"][0]["detail"].startswith("the body is not JSON: ")


@given(st.binary(max_size=300))
def test_no_bytes_crash_a_door(raw: bytes) -> None:
    for door in (WEBHOOKS, EVENTS):
        assert {state for state, _ in ends(door, raw)} <= {"quarantined", "unknown", "ignored", "waiting", "mapped"}
    assert EVENTS.receipt is not None
    EVENTS.receipt(raw, 7, True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(sorted(name for name in SOURCE.table if SOURCE.table[name].need is None)), JSON, JSON)
def test_no_json_makes_a_mapper_fail(metric: str, customer: object, data: object) -> None:
    """A mapper's own failure would be told as a fault of the gateway."""
    base = {**EVENT, "metric": metric}
    for body in ({**base, "data": data}, {**base, "customer": customer}):
        for _, reason in ends(EVENTS, orjson.dumps(body)):
            assert "fault of the gateway" not in reason


@given(st.sampled_from(["order:1", "shipment:1", "return:1", "customer:1"]), JSON)
def test_no_answer_of_centra_makes_a_mapper_fail(need: str, answer: object) -> None:
    kind = need.partition(":")[0]
    raw = form({"events": [{"type": kind, "id": 1}]})
    for read in (answer, {kind: answer}, {kind: answer, "order": answer}):
        for result in judge(CONNECTED, WEBHOOKS, raw, {need: orjson.dumps(read)}):
            assert "fault of the gateway" not in result.reason
