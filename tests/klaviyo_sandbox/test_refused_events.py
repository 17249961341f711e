"""Every way to spoil an event, each refused alone and in bulk, with the pointer that Klaviyo's clients rely on."""

from __future__ import annotations

import pytest

from tests.klaviyo_sandbox.bodies import Json, bulk, drop, event, event_attributes, group, profile, put
from tests.klaviyo_sandbox.conftest import HEADERS, Sandbox, faults_of

EVENTS, BULK = "/api/events", "/api/event-bulk-create-jobs"
GROUPS = "/data/attributes/events-bulk-create/data"

HEALTHY = event()["data"]["attributes"]
NAME = ("metric", "data", "attributes", "name")
WHO = ("profile", "data", "attributes")


def nested(levels: int) -> Json:
    inner: Json = {"leaf": 1}
    for _ in range(levels - 1):
        inner = {"level": inner}
    return inner


def person(**attributes: object) -> Json:
    return {"profile": {"data": profile(**attributes)}}


# What is wrong, the event's attributes with it, and the pointer relative to them.
SPOILT: list[tuple[str, Json, str]] = [
    ("unknown key", put(HEALTHY, "foo", value=1), "foo"),
    ("misspelt key", put(HEALTHY, "uniqueId", value="x"), "uniqueId"),
    ("value as a string", put(HEALTHY, "value", value="349.5"), "value"),
    ("value as a bool", put(HEALTHY, "value", value=True), "value"),
    ("unique_id as a number", put(HEALTHY, "unique_id", value=5001), "unique_id"),
    ("empty unique_id", put(HEALTHY, "unique_id", value=""), "unique_id"),
    ("unique_id of 256 characters", put(HEALTHY, "unique_id", value="u" * 256), "unique_id"),
    ("no metric", drop(HEALTHY, "metric"), "metric"),
    ("no metric name", drop(HEALTHY, *NAME), "metric/data/attributes/name"),
    ("metric name of 128 characters", put(HEALTHY, *NAME, value="m" * 128), "metric/data/attributes/name"),
    ("empty metric name", put(HEALTHY, *NAME, value=""), "metric/data/attributes/name"),
    ("wrong type of the metric", put(HEALTHY, "metric", "data", "type", value="event"), "metric/data/type"),
    ("no properties", drop(HEALTHY, "properties"), "properties"),
    ("properties null", put(HEALTHY, "properties", value=None), "properties"),
    ("properties as a list", put(HEALTHY, "properties", value=[]), "properties"),
    ("401 properties", put(HEALTHY, "properties", value={f"p{n}": n for n in range(401)}), "properties"),
    ("a string beyond 100 KB", put(HEALTHY, "properties", value={"html": "ä" * 50_001}), "properties"),
    ("4001 items", put(HEALTHY, "properties", value={"items": list(range(4001))}), "properties"),
    ("11 levels of objects", put(HEALTHY, "properties", value=nested(11)), "properties"),
    ("11 levels with arrays", put(HEALTHY, "properties", value={"a": [[[[[[[[[[]]]]]]]]]]}), "properties"),
    ("an integer of 65 bits", put(HEALTHY, "properties", value={"n": 2**63}), "properties"),
    ("an integer of 80 bits", put(HEALTHY, "properties", value={"n": [-(2**79)]}), "properties"),
    ("backfill as a string", put(HEALTHY, "backfill", value="true"), "backfill"),
    ("time is no date", put(HEALTHY, "time", value="yesterday"), "time"),
    ("time as an epoch", put(HEALTHY, "time", value=1795176000), "time"),
    ("time as a date", put(HEALTHY, "time", value="2026-11-20"), "time"),
    ("time without an offset", put(HEALTHY, "time", value="2026-11-20T09:15:00"), "time"),
    ("time with a blank", put(HEALTHY, "time", value="2026-11-20 09:15:00+00:00"), "time"),
    ("time in lower case", put(HEALTHY, "time", value="2026-11-20t09:15:00z"), "time"),
    ("a day that never was", put(HEALTHY, "time", value="2026-02-30T09:15:00Z"), "time"),
    ("before 1990", put(HEALTHY, "time", value="1989-12-31T23:59:59Z"), "time"),
    ("more than a year ahead", put(HEALTHY, "time", value="2027-11-20T12:00:01Z"), "time"),
    ("currency by its sign", put(HEALTHY, "value_currency", value="kr"), "value_currency"),
    ("currency that does not exist", put(HEALTHY, "value_currency", value="EUX"), "value_currency"),
    ("currency in lower case", put(HEALTHY, "value_currency", value="sek"), "value_currency"),
    ("no profile", drop(HEALTHY, "profile"), "profile"),
    ("no profile attributes", drop(HEALTHY, *WHO), "profile/data/attributes"),
    ("no identifier", put(HEALTHY, *WHO, value={"first_name": "Eva"}), "profile/data"),
    ("only null identifiers", put(HEALTHY, *WHO, value={"email": None, "phone_number": None}), "profile/data"),
    ("unknown profile id", put(HEALTHY, "profile", "data", "id", value="01NOPE"), "profile/data/id"),
    ("empty profile id", put(HEALTHY, "profile", "data", "id", value=""), "profile/data/id"),
    ("custom property in the profile", {**HEALTHY, **person(loyalty="x")}, "profile/data/attributes/loyalty"),
    ("misspelt phone", {**HEALTHY, **person(mobile="+46701234567")}, "profile/data/attributes/mobile"),
    ("meta inside attributes", {**HEALTHY, **person(meta={})}, "profile/data/attributes/meta"),
    ("email as a number", {**HEALTHY, **person(email=1)}, "profile/data/attributes/email"),
    ("first_name as a number", {**HEALTHY, **person(first_name=1)}, "profile/data/attributes/first_name"),
    ("external_id of 256", {**HEALTHY, **person(external_id="x" * 256)}, "profile/data/attributes/external_id"),
    ("postcode", {**HEALTHY, **person(location={"postcode": "1"})}, "profile/data/attributes/location/postcode"),
    ("zip as a number", {**HEALTHY, **person(location={"zip": 1})}, "profile/data/attributes/location/zip"),
    ("latitude", {**HEALTHY, **person(location={"latitude": True})}, "profile/data/attributes/location/latitude"),
    ("95 KB", {**HEALTHY, **person(properties={"a": "x" * 50_000, "b": "x" * 45_000})}, "profile/data"),
    *(
        (f"phone {number}", {**HEALTHY, **person(phone_number=number)}, "profile/data/attributes/phone_number")
        for number in (
            *("0701234567", "46701234567", "+46 70 123 45 67", "+460701234567"),
            *("+4670", "+15555550100", "", "+0701234567"),
        )
    ),
    *(
        (f"email {address}", {**HEALTHY, **person(email=address)}, "profile/data/attributes/email")
        for address in (
            *("", "eva", "eva@", "@kund.example.com", "eva@kund", "eva berg@kund.example.com", "e..b@kund.se"),
            f"{'e' * 60}@{'k' * 37}.se",
        )
    ),
]


@pytest.mark.parametrize(("attributes", "pointer"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_spoilt_event_is_refused(sandbox: Sandbox, attributes: Json, pointer: str) -> None:
    answer = sandbox.post(EVENTS, {"data": {"type": "event", "attributes": attributes}})
    assert answer.status_code == 400, answer.text
    assert faults_of(answer) == [("invalid", f"/data/attributes/{pointer}")]
    assert sandbox.ledger("events")["items"] == []


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [row[1:] for row in SPOILT if "profile" in row[1]],
    ids=[row[0] for row in SPOILT if "profile" in row[1]],
)
def test_a_spoilt_event_refuses_its_whole_request(sandbox: Sandbox, attributes: Json, pointer: str) -> None:
    healthy = group(profile(email="other@kund.example.com"), event_attributes(unique_id="healthy"))
    spoilt = {name: value for name, value in attributes.items() if name != "profile"}
    answer = sandbox.post(BULK, bulk(healthy, group(attributes["profile"]["data"], spoilt)))
    assert answer.status_code == 400, answer.text
    inside = "" if pointer.startswith("profile/") else "events/data/0/attributes/"
    assert faults_of(answer) == [("invalid", f"{GROUPS}/1/attributes/{inside}{pointer}")]
    assert sandbox.ledger("events")["items"] == []


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (EVENTS, {}, "/data"),
        (EVENTS, {**event(), "meta": {}}, "/meta"),
        (EVENTS, drop(event(), "data", "attributes"), "/data/attributes"),
        (EVENTS, put(event(), "data", "type", value="events"), "/data/type"),
        (BULK, put(bulk(), "data", "type", value="event-bulk-create-jobs"), "/data/type"),
        (BULK, bulk(), GROUPS),
        (BULK, bulk(group(profile())), f"{GROUPS}/0/attributes/events/data"),
        (BULK, put(bulk(), "data", "attributes", value={"events_bulk_create": {}}), GROUPS.removesuffix("/data")),
        (BULK, drop(bulk(group(profile(), {})), *GROUPS[1:].split("/"), 0, "type"), f"{GROUPS}/0/type"),
    ],
)
def test_a_spoilt_envelope_is_refused(sandbox: Sandbox, path: str, body: Json, pointer: str) -> None:
    answer = sandbox.post(path, body)
    assert answer.status_code == 400, answer.text
    assert ("invalid", pointer) in faults_of(answer)


def test_nan_is_refused_wherever_it_stands(sandbox: Sandbox) -> None:
    raw = b'{"data":{"type":"event","attributes":{"value":NaN,"properties":{"x":Infinity}}}}'
    answer = sandbox.http.post(EVENTS, content=raw, headers=HEADERS)
    assert faults_of(answer) == [("invalid", "/data")]


def test_every_fault_is_told_at_once(sandbox: Sandbox) -> None:
    body = bulk(group(profile(email="x"), event_attributes()), group(profile(phone_number="1"), event_attributes()))
    assert faults_of(sandbox.post(BULK, body)) == [
        ("invalid", f"{GROUPS}/0/attributes/profile/data/attributes/email"),
        ("invalid", f"{GROUPS}/1/attributes/profile/data/attributes/phone_number"),
    ]
