from __future__ import annotations

import pytest

from tests.klaviyo_sandbox.bodies import bulk, event, event_attributes, group, profile
from tests.klaviyo_sandbox.conftest import Sandbox, faults_of

BULK = "/api/event-bulk-create-jobs"
GROUPS = "/data/attributes/events-bulk-create/data"


def named(metric: str) -> dict[str, object]:
    return {"data": {"type": "metric", "attributes": {"name": metric}}}


def test_the_ledger_tells_what_was_applied(sandbox: Sandbox) -> None:
    who = profile(phone_number="+46701234567", external_id="kund-9")
    assert sandbox.post("/api/events", event(who)).status_code == 202
    ledger = sandbox.ledger("events")
    assert ledger["totals"] == {"applied": 1, "repeats": 0, "requests": 1}
    assert ledger["items"] == [
        {
            "id": "EV000000001",
            "account": "SANDBX",
            "metric": "Placed Order",
            "profile_id": "01SANDBX000000000000000001",
            "email": "eva.berg@kund.example.com",
            "phone_number": "+46701234567",
            "external_id": "kund-9",
            "unique_id": "shop:5001",
            "time": "2026-11-20T10:30:00+01:00",
            "timestamp": 1795167000,
            "value": 349.5,
            "value_currency": "SEK",
            "properties": {"OrderId": "5001", "ItemNames": ["Mössa", "Vantar"], "$extra": {"html": "<p/>"}},
            "backfill": False,
            "received_at": 1795176000.0,
            "applied": 1,
            "repeats": 0,
        }
    ]


def test_an_event_sent_again_is_taken_silently_and_counted(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event())
    again = sandbox.post("/api/events", event(value=1.0))
    assert (again.status_code, again.content) == (202, b"")
    assert sandbox.post(BULK, bulk(group(profile(), event_attributes()))).status_code == 202
    ledger = sandbox.ledger("events")
    assert ledger["totals"] == {"applied": 1, "repeats": 2, "requests": 3}
    assert isinstance(ledger["items"], list)
    assert ledger["items"][0]["value"] == 349.5
    assert ledger["items"][0]["repeats"] == 2


def test_another_person_metric_or_id_is_another_event(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event())
    sandbox.post("/api/events", event(profile(email="b@kund.example.com")))
    sandbox.post("/api/events", event(metric=named("Refunded Order")))
    sandbox.post("/api/events", event(unique_id="shop:5002"))
    assert sandbox.ledger("events")["totals"] == {"applied": 4, "repeats": 0, "requests": 4}


def test_a_missing_unique_id_is_the_time_in_seconds(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event(unique_id=None, time="2026-11-20T09:30:00.900Z"))
    sandbox.post("/api/events", event(unique_id=None, time="2026-11-20T10:30:00.100+01:00"))
    sandbox.post("/api/events", event(unique_id=None, time=None))
    sandbox.clock.now += 1
    sandbox.post("/api/events", event(unique_id=None, time=None))
    items = sandbox.ledger("events")["items"]
    assert isinstance(items, list)
    assert [(item["unique_id"], item["repeats"]) for item in items] == [
        ("1795167000", 1),
        ("1795176000", 0),
        ("1795176001", 0),
    ]
    assert items[1]["time"] == "2026-11-20T12:00:00+00:00"


def test_a_unique_id_repeated_in_one_request_refuses_all_of_it(sandbox: Sandbox) -> None:
    sandbox.post("/api/profile-import", {"data": profile(external_id="kund-9")})
    body = bulk(
        group(profile(email="b@kund.example.com"), event_attributes()),
        group(profile(), event_attributes(unique_id="other"), event_attributes()),
        group({"type": "profile", "attributes": {"external_id": "kund-9"}}, event_attributes()),
    )
    answer = sandbox.post(BULK, body)
    assert answer.status_code == 400
    assert faults_of(answer) == [("invalid", f"{GROUPS}/2/attributes/events/data/0/attributes/unique_id")]
    assert sandbox.ledger("events")["totals"] == {"applied": 0, "repeats": 0, "requests": 0}


@pytest.mark.parametrize(("address", "metric"), [("EVA.BERG@kund.example.com", "Placed Order")])
def test_the_same_new_person_is_recognised_within_a_request(sandbox: Sandbox, address: str, metric: str) -> None:
    body = bulk(group(profile(), event_attributes()), group(profile(email=address), event_attributes()))
    assert sandbox.post(BULK, body).status_code == 400
    other = group(profile(email=address), event_attributes(metric=named(f"{metric} again")))
    assert sandbox.post(BULK, bulk(group(profile(), event_attributes()), other)).status_code == 202


def test_one_bad_group_leaves_no_trace_of_the_others(sandbox: Sandbox) -> None:
    bad = group(profile(email="b@kund.example.com", phone_number="12"), event_attributes())
    assert sandbox.post(BULK, bulk(group(profile(), event_attributes()), bad)).status_code == 400
    assert sandbox.ledger("events")["items"] == []
    assert sandbox.ledger("profiles")["items"] == []
    assert sandbox.get("/api/metrics").json()["data"] == []


def test_backfill_holds_for_an_event_or_for_its_group(sandbox: Sandbox) -> None:
    live, old = event_attributes(unique_id="live"), event_attributes(unique_id="old", backfill=True)
    sandbox.post(BULK, bulk(group(profile(), live, old)))
    everything = group(profile(), event_attributes(unique_id="all", backfill=False), backfill=True)
    sandbox.post(BULK, bulk(everything))
    items = sandbox.ledger("events")["items"]
    assert isinstance(items, list)
    assert [(item["unique_id"], item["backfill"]) for item in items] == [
        ("live", False),
        ("old", True),
        ("all", True),
    ]


def test_an_account_can_create_200_metrics(sandbox: Sandbox) -> None:
    events = [event_attributes(metric=named(f"Metric {n}")) for n in range(199)]
    assert sandbox.post(BULK, bulk(group(profile(), *events))).status_code == 202
    two_more = [event_attributes(metric=named(name)) for name in ("Metric 199", "Metric 200")]
    refused = sandbox.post(BULK, bulk(group(profile(), *two_more)))
    assert faults_of(refused) == [
        ("invalid", f"{GROUPS}/0/attributes/events/data/1/attributes/metric/data/attributes/name")
    ]
    assert sandbox.post("/api/events", event(metric=named("Metric 199"))).status_code == 202
    assert sandbox.post("/api/events", event(metric=named("Metric 200"))).status_code == 400
    assert sandbox.post("/api/events", event(metric=named("Metric 0"), unique_id="x")).status_code == 202


def test_an_event_writes_what_it_says_about_the_person(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event(profile(first_name="Eva", last_name="Berg")))
    sandbox.post("/api/events", event(profile(first_name="Eva-Lisa", last_name=None, properties={"a": 1})))
    items = sandbox.ledger("profiles")["items"]
    assert isinstance(items, list)
    assert len(items) == 1
    assert (items[0]["first_name"], items[0]["last_name"], items[0]["properties"]) == ("Eva-Lisa", "Berg", {"a": 1})


def test_a_phone_that_somebody_else_holds_misroutes_no_event(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event(profile(phone_number="+46701234567"), unique_id="1"))
    sandbox.post(
        "/api/events", event(profile(email="son@kund.example.com", phone_number="+46701234567"), unique_id="2")
    )
    phone_only = {"type": "profile", "attributes": {"phone_number": "+46701234567"}}
    sandbox.post("/api/events", event(phone_only, unique_id="3"))
    items = sandbox.ledger("events")["items"]
    assert isinstance(items, list)
    first, second, third = (item["profile_id"] for item in items)
    assert first == third != second


def test_events_are_read_back_by_metric_and_time(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event(unique_id="a", time="2026-11-20T08:00:00Z"))
    sandbox.post("/api/events", event(unique_id="b", time="2026-11-20T09:00:00Z", properties={"n": 1}))
    sandbox.post("/api/events", event(metric=named("Other"), time="2026-11-20T10:00:00Z"))
    metrics = {entry["attributes"]["name"]: entry["id"] for entry in sandbox.get("/api/metrics").json()["data"]}
    wanted = f'equals(metric_id,"{metrics["Placed Order"]}"),greater-or-equal(datetime,2026-11-20T09:00:00+00:00)'
    found = sandbox.get("/api/events", filter=wanted, include="profile,metric", sort="-datetime").json()
    assert [entry["attributes"]["timestamp"] for entry in found["data"]] == [1795165200]
    attributes = found["data"][0]["attributes"]
    assert attributes["datetime"] == "2026-11-20T09:00:00+00:00"
    assert attributes["event_properties"] == {
        "n": 1,
        "$event_id": "b",
        "$value": 349.5,
        "$currency_code": "SEK",
    }
    assert {entry["type"] for entry in found["included"]} == {"metric", "profile"}
    newest_first = sandbox.get("/api/events", sort="-datetime").json()["data"]
    assert [entry["attributes"]["timestamp"] for entry in newest_first] == [1795168800, 1795165200, 1795161600]


@pytest.mark.parametrize(
    "text",
    ['equals(metric_id,"x"', "contains(metric_id,'x')", 'equals(name,"x")', "greater-than(datetime,soon)", "nonsense"],
)
def test_a_filter_that_klaviyo_does_not_know_is_400(sandbox: Sandbox, text: str) -> None:
    answer = sandbox.get("/api/events", filter=text)
    assert faults_of(answer) == [("invalid", "filter")]


def test_a_listing_is_read_page_by_page(sandbox: Sandbox) -> None:
    events = [event_attributes(unique_id=f"u{n}") for n in range(5)]
    sandbox.post(BULK, bulk(group(profile(), *events)))
    address: str | None = f"{sandbox.url}/api/events?page%5Bsize%5D=2"
    seen = []
    while address:
        page = sandbox.get(address.removeprefix(sandbox.url)).json()
        seen.append([entry["attributes"]["event_properties"]["$event_id"] for entry in page["data"]])
        address = page["links"]["next"]
    assert seen == [["u0", "u1"], ["u2", "u3"], ["u4"]]
    assert sandbox.get("/api/events", **{"page[size]": "1001"}).status_code == 400
