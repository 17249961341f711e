"""Whatever delivery builds, Klaviyo describes; and the oracle that says so can say no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from app.connections import Connected
from app.judge import Judged, judge
from app.klaviyo.batches import BULK, Call, call, plan
from app.klaviyo.commands import Command, Kind, Location, Profile, Subscribe, Track, Unsubscribe, UpsertProfile
from app.mappers.registry import PLATFORMS
from app.mappers.source import Door, Source
from tests.klaviyo_sandbox import bodies
from tests.klaviyo_sandbox.bodies import drop, put
from tests.oracle.contract import OPENAPI, TALLY, Broken, check, sdk_faults, spec_faults

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
EVENTS, BULK_EVENTS, PROFILE = "/api/events", "/api/event-bulk-create-jobs", "/api/profile-import"
SUBSCRIBE = "/api/profile-subscription-bulk-create-jobs"
UNSUBSCRIBE = "/api/profile-subscription-bulk-delete-jobs"

THEN = datetime(2026, 11, 20, 10, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))
ANNA = Profile(
    email="anna.lind@kund.example.com", phone_number="+46701740605", external_id="c-77", anonymous_id="a-1",
    first_name="Anna", last_name="Lind", organization="Kund AB", title="VD", locale="sv-SE",
    location=Location(city="Lund", country="Sweden", zip="22100"), properties={"Market": "Sverige", "Points": 3},
)  # fmt: skip
PHONE = Profile(phone_number="+46701740605")
COMMANDS: tuple[Command, ...] = (
    Track(ANNA, "Placed Order", {"Items": [{"SKU": "T-1", "Price": Decimal("249.50")}], "None": None}, THEN, "20551",
          Decimal("2395.68"), "SEK"),
    Track(ANNA, "Viewed", {}, datetime(2026, 11, 20, tzinfo=UTC), "x" * 255, backfill=True),
    Track(PHONE, "Free", {"deep": {"er": {"yet": [1, 2.5, True]}}}, THEN, "1", Decimal(0), "EUR"),
    UpsertProfile(ANNA, "1"),
    UpsertProfile(PHONE, "2"),
    Subscribe(ANNA, "1", list_id="NEWS01", sms=True, source="Checkout"),
    Subscribe(ANNA, "2", historical=True, consented_at=THEN),
    Subscribe(PHONE, "3", list_id="NEWS01", email=False, sms=True),
    Unsubscribe(ANNA, "1", list_id="NEWS01"),
    Unsubscribe(ANNA, "2", sms=True),
)  # fmt: skip


class Member(NamedTuple):
    id: int
    profile: bytes
    payload: bytes


def requests(stored: list[tuple[Kind, bytes, bytes]]) -> Iterator[Call]:
    """Each command alone as delivery would send it, and all events once more as a bulk job."""
    members = [(kind, Member(n, profile, payload)) for n, (kind, profile, payload) in enumerate(stored)]
    for kind, member in members:
        yield from (call(kind, form, batch) for form, batch in plan(kind, [member]))
    if events := [member for kind, member in members if kind is Kind.TRACK]:
        yield call(Kind.TRACK, BULK, events)


@pytest.mark.parametrize("command", COMMANDS, ids=[f"{type(c).__name__} {c.unique_id[:9]}" for c in COMMANDS])
def test_every_kind_of_command_is_described(command: Command) -> None:
    stored = command.stored()
    for request in requests([(stored.kind, stored.profile, stored.payload)]):
        check(request.path, "POST", request.body)


def test_a_full_bulk_job_is_described() -> None:
    stored = [
        Track(Profile(email=f"p{n % 700}@kund.example.com"), "Sold", {"N": n}, THEN, str(n)).stored()
        for n in range(1000)
    ]
    ((form, batch),) = plan(Kind.TRACK, [Member(n, s.profile, s.payload) for n, s in enumerate(stored)])
    check(BULK_EVENTS, "POST", call(Kind.TRACK, form, batch).body)


PAIRS = sorted(GOLDEN.glob("*/*/*.klaviyo.json"))


@pytest.mark.parametrize("pair", PAIRS, ids=[str(pair.relative_to(GOLDEN)) for pair in PAIRS])
def test_every_golden_command_is_described(pair: Path) -> None:
    wanted = [item for item in json.loads(pair.read_bytes()) if "kind" in item]
    stored = [(Kind(w["kind"]), orjson.dumps(w["profile"]), orjson.dumps(w["payload"])) for w in wanted]
    for request in requests(stored):
        check(request.path, "POST", request.body)


SETTINGS = {"centra": {"base_currency": "SEK", "rates": {"EUR": "11.2"}}}
DOORS = [(source, door) for source in PLATFORMS for door in source.doors]


@pytest.mark.parametrize(("source", "door"), DOORS, ids=[f"{s.name} {d.name}" for s, d in DOORS])
def test_what_the_examples_of_the_docs_become_is_described(source: Source[Any], door: Door) -> None:
    connected = Connected("shop", source, "main", True, {}, SETTINGS[source.name], {})
    for example in door.examples:
        raw = example.body.encode() if isinstance(example.body, str) else orjson.dumps(example.body)
        for judged in judge(connected, door, raw, {}):
            stored = [made.stored for made in judged.commands] if isinstance(judged, Judged) else []
            for request in requests([(s.kind, s.profile, s.payload) for s in stored]):
                check(request.path, "POST", request.body)


EVENT, UPSERT = bodies.event(), bodies.upsert()
IN_EVENT = ("data", "attributes")
WHO = (*IN_EVENT, "profile", "data", "attributes")
GROUP = (*IN_EVENT, "events-bulk-create", "data", 0, "attributes")
JOB = bodies.bulk(bodies.group(bodies.profile(), bodies.event_attributes()))
JOIN, LEAVE = bodies.subscribe(bodies.subscriber()), bodies.unsubscribe(bodies.leaver())
PERSON = (*IN_EVENT, "profiles", "data", 0, "attributes")
UNKNOWN_KEY = {
    "top of an event": (EVENTS, put(EVENT, "foo", value=1)),
    "event": (EVENTS, put(EVENT, *IN_EVENT, "uniqueId", value="1")),
    "person of an event": (EVENTS, put(EVENT, *WHO, "mobile", value="+46701740605")),
    "address": (EVENTS, put(EVENT, *WHO, "location", value={"postcode": "22100"})),
    "metric": (EVENTS, put(EVENT, *IN_EVENT, "metric", "data", "attributes", "label", value="x")),
    "group": (BULK_EVENTS, put(JOB, *GROUP, "foo", value=1)),
    "event in a group": (BULK_EVENTS, put(JOB, *GROUP, "events", "data", 0, "attributes", "profile", value={})),
    "profile": (PROFILE, put(UPSERT, *IN_EVENT, "loyalty", value="gold")),
    "name of a subscriber": (SUBSCRIBE, put(JOIN, *PERSON, "first_name", value="Anna")),
    "channel of a consent": (SUBSCRIBE, put(JOIN, *PERSON, "subscriptions", "fax", value={})),
    "lists for list": (SUBSCRIBE, put(JOIN, "data", "relationships", value={"lists": {"data": []}})),
    "leaver": (UNSUBSCRIBE, put(LEAVE, *PERSON, "external_id", value="7")),
}
WRONG = {
    "value as text": (EVENTS, put(EVENT, *IN_EVENT, "value", value="12.30")),
    "unique id as number": (EVENTS, put(EVENT, *IN_EVENT, "unique_id", value=12)),
    "properties null": (EVENTS, put(EVENT, *IN_EVENT, "properties", value=None)),
    "another type": (EVENTS, put(EVENT, "data", "type", value="events")),
    "no metric": (EVENTS, drop(EVENT, *IN_EVENT, "metric")),
    "no profile": (EVENTS, drop(EVENT, *IN_EVENT, "profile")),
    "no attributes": (PROFILE, drop(UPSERT, "data", "attributes")),
    "underscores": (BULK_EVENTS, {"data": {"type": "event-bulk-create-job", "attributes": {"events_bulk_create": {}}}}),
    "consent in small letters": (
        SUBSCRIBE, put(JOIN, *PERSON, "subscriptions", "email", "marketing", "consent", value="subscribed"),
    ),
    "no subscriptions": (UNSUBSCRIBE, drop(LEAVE, *PERSON, "subscriptions")),
}  # fmt: skip
MODEL = {
    EVENTS: "EventCreateQueryV2", BULK_EVENTS: "EventsBulkCreateJob", PROFILE: "ProfileUpsertQuery",
    SUBSCRIBE: "SubscriptionCreateJobCreateQuery", UNSUBSCRIBE: "SubscriptionDeleteJobCreateQuery",
}  # fmt: skip
SPOILT = [*UNKNOWN_KEY.values(), *WRONG.values()]
NAMED = [*(f"unknown key: {name}" for name in UNKNOWN_KEY), *WRONG]


@pytest.mark.parametrize(("path", "body"), SPOILT, ids=NAMED)
def test_the_sdk_alone_says_no(path: str, body: bodies.Json) -> None:
    assert list(sdk_faults(MODEL[path], body))


@pytest.mark.skipif(not OPENAPI.exists(), reason=f"{OPENAPI} is not here: Klaviyo's SDK is the only oracle")
@pytest.mark.parametrize(("path", "body"), SPOILT, ids=NAMED)
def test_the_openapi_file_alone_says_no(path: str, body: bodies.Json) -> None:
    assert list(spec_faults(MODEL[path], body))


@pytest.mark.skipif(not OPENAPI.exists(), reason=f"{OPENAPI} is not here: nobody else judges how a time is written")
def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(Broken, match="date-time"):
        check(EVENTS, "POST", orjson.dumps(put(EVENT, *IN_EVENT, "time", value="2026-11-20T10:30:00")))


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        (EVENTS, "POST", b'{"data":'),
        (EVENTS, "POST", b'{"data":{"type":"event","attributes":{"value":NaN}}}'),
        (EVENTS, "PATCH", orjson.dumps(EVENT)),
        ("/api/evnts", "POST", orjson.dumps(EVENT)),
    ],
    ids=["cut", "NaN", "method", "path"],
)
def test_what_is_no_request_of_klaviyos_is_refused_and_counted(path: str, method: str, body: bytes) -> None:
    before = TALLY.checked
    with pytest.raises(Broken):
        check(path, method, body)
    assert TALLY.checked == before + 1


def test_valid_bodies_pass() -> None:
    for path, body in ((EVENTS, EVENT), (BULK_EVENTS, JOB), (PROFILE, UPSERT), (SUBSCRIBE, JOIN), (UNSUBSCRIBE, LEAVE)):
        check(path, "POST", orjson.dumps(body))
    for method in ("POST", "DELETE"):
        check("/api/lists/NEWS01/relationships/profiles", method, b'{"data":[{"type":"profile","id":"01GDDKAS"}]}')
