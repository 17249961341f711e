"""One of every kind of valid body, with as much in it as it may hold; and as many as a request may hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.klaviyo_sandbox.bodies import (
    Json,
    bulk,
    bulk_import,
    erasure,
    event,
    event_attributes,
    grant,
    group,
    leaver,
    new_list,
    profile,
    subscribe,
    subscriber,
    suppress,
    unsubscribe,
    upsert,
)
from tests.klaviyo_sandbox.conftest import Sandbox, faults_of

EVENTS, BULK = "/api/events", "/api/event-bulk-create-jobs"
UPSERT, IMPORT = "/api/profile-import", "/api/profile-bulk-import-jobs"
SUBSCRIBE, UNSUBSCRIBE = "/api/profile-subscription-bulk-create-jobs", "/api/profile-subscription-bulk-delete-jobs"
SUPPRESS, UNSUPPRESS = "/api/profile-suppression-bulk-create-jobs", "/api/profile-suppression-bulk-delete-jobs"

LOCATION = {
    "address1": "Storgatan 2",
    "address2": "lgh 1101",
    "city": "Umeå",
    "region": "Västerbotten",
    "country": "Sweden",
    "zip": "90326",
    "latitude": 63.8258,
    "longitude": "20.2630",
    "timezone": "Europe/Stockholm",
    "ip": "203.0.113.4",
}
FULL = profile(
    phone_number="+46701234567",
    external_id="kund-9",
    first_name="Eva",
    last_name="Berg",
    organization="Kund AB",
    title="VD",
    locale="sv-SE",
    image="https://shop.example.com/eva.png",
    location=LOCATION,
    properties={"loyalty": "gold", "points": 0, "tags": ["a", "b"]},
)
PATCHED = {
    **FULL,
    "meta": {"patch_properties": {"append": {"skus": "1"}, "unappend": {"skus": ["2"]}, "unset": ["old", "older"]}},
}
HISTORICAL = {"email": {"marketing": grant(consented_at="2026-10-01T08:00:00Z")}}
TOKEN = {"token": "t0", "platform": "ios", "vendor": "apns"}
EVERY_CHANNEL = {
    "email": {"marketing": grant(), "open_tracking": grant(), "click_tracking": grant()},
    "sms": {"marketing": grant(), "transactional": grant()},
    "whatsapp": {"marketing": grant(), "transactional": grant()},
    "push": {"marketing": grant(), "tokens": [TOKEN]},
}
WITHDRAWN = {"consent": "UNSUBSCRIBED"}
EVERY_WITHDRAWAL = {
    "email": {"marketing": WITHDRAWN, "open_tracking": WITHDRAWN, "click_tracking": WITHDRAWN},
    "sms": {"marketing": WITHDRAWN, "transactional": WITHDRAWN},
    "whatsapp": {"marketing": WITHDRAWN, "transactional": WITHDRAWN, "conversational": WITHDRAWN},
    "push": {"marketing": WITHDRAWN, "tokens": [TOKEN]},
}
CLEARING = upsert(first_name=None, phone_number=None, location={"city": None})
OF_TWO = group(profile(), event_attributes(), event_attributes(unique_id="other"))

ACCEPTED: list[tuple[str, str, Json]] = [
    ("event", EVENTS, event()),
    ("event with a full profile", EVENTS, event(PATCHED, backfill=True)),
    ("event of an anonymous browser", EVENTS, event({"type": "profile", "attributes": {"anonymous_id": "a-1"}})),
    ("event with a web cookie", EVENTS, event({"type": "profile", "attributes": {"_kx": "cookie"}})),
    ("event with nulls", EVENTS, event(value=None, value_currency=None, unique_id=None, time=None, backfill=None)),
    ("event without properties", EVENTS, event(properties={})),
    ("event long ago", EVENTS, event(time="1990-01-01T00:00:00Z")),
    ("event in a year", EVENTS, event(time="2027-11-20T12:00:00Z")),
    ("event with fractions of a second", EVENTS, event(time="2026-11-20T09:15:00.123456789Z")),
    ("event with the longest id", EVENTS, event(unique_id="u" * 255)),
    ("event with 400 properties", EVENTS, event(properties={f"p{n}": n for n in range(400)})),
    ("event with 4000 items", EVENTS, event(properties={"items": list(range(4000))})),
    ("event with 100 KB in one string", EVENTS, event(properties={"html": "ä" * 50_000})),
    ("bulk events", BULK, bulk(OF_TWO)),
    ("bulk events with backfill", BULK, bulk(group(PATCHED, event_attributes(backfill=False), backfill=True))),
    ("upsert", UPSERT, {"data": PATCHED}),
    ("upsert that clears", UPSERT, CLEARING),
    ("import", IMPORT, bulk_import(PATCHED, profile(email="b@kund.example.com"), lists=("NEWS01",))),
    ("subscribe", SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01", custom_source="Footer form")),
    ("subscribe to everything", SUBSCRIBE, subscribe(subscriber(EVERY_CHANNEL, phone_number="+46701234567"))),
    ("historical import", SUBSCRIBE, subscribe(subscriber(HISTORICAL), historical_import=True)),
    ("unsubscribe", UNSUBSCRIBE, unsubscribe(leaver(), list_id="NEWS01")),
    ("unsubscribe from everything", UNSUBSCRIBE, unsubscribe(leaver(EVERY_WITHDRAWAL, phone_number="+46701234567"))),
    ("suppress", SUPPRESS, suppress("a@kund.example.com", "b@kund.example.com")),
    ("unsuppress", UNSUPPRESS, suppress("a@kund.example.com", kind="delete")),
    ("erase", "/api/data-privacy-deletion-jobs", erasure(email="a@kund.example.com")),
    ("new list", "/api/lists", new_list("VIP", opt_in_process="single_opt_in")),
]


@pytest.mark.parametrize(("path", "body"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_valid_body_is_accepted(sandbox: Sandbox, path: str, body: Json) -> None:
    answer = sandbox.post(path, body)
    assert answer.status_code in (201, 202), answer.text


@pytest.mark.parametrize(
    ("path", "limit", "body"),
    [
        (BULK, 1000, lambda n: bulk(*(group(profile(), event_attributes(unique_id=f"u{i}")) for i in range(n)))),
        (BULK, 1000, lambda n: bulk(group(profile(), *(event_attributes(unique_id=f"u{i}") for i in range(n))))),
        (IMPORT, 10_000, lambda n: bulk_import(*[profile()] * n)),
        (SUBSCRIBE, 1000, lambda n: subscribe(*[subscriber()] * n)),
        (UNSUBSCRIBE, 100, lambda n: unsubscribe(*[leaver()] * n)),
        (SUPPRESS, 100, lambda n: suppress(*["a@kund.example.com"] * n)),
        (UNSUPPRESS, 100, lambda n: suppress(*["a@kund.example.com"] * n, kind="delete")),
    ],
    ids=["groups", "events", "import", "subscribe", "unsubscribe", "suppress", "unsuppress"],
)
def test_a_request_holds_as_many_as_klaviyo_takes(
    sandbox: Sandbox, path: str, limit: int, body: Callable[[int], Json]
) -> None:
    assert sandbox.post(path, body(limit)).status_code == 202
    refused = sandbox.post(path, body(limit + 1))
    assert refused.status_code == 400
    assert [code for code, _ in faults_of(refused)] == ["invalid"]


def test_events_are_counted_over_all_groups(sandbox: Sandbox) -> None:
    def some(name: str, n: int) -> Json:
        events = [event_attributes(unique_id=f"u{i}") for i in range(n)]
        return group(profile(email=f"{name}@kund.example.com"), *events)

    assert sandbox.post(BULK, bulk(some("a", 600), some("b", 401))).status_code == 400
    assert sandbox.post(BULK, bulk(some("a", 600), some("b", 400))).status_code == 202
