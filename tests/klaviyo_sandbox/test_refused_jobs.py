"""Every way to spoil an upsert, an import, a consent, an erasure or a list, each refused with its pointer."""

from __future__ import annotations

import pytest

from tests.klaviyo_sandbox.bodies import (
    Json,
    bulk_import,
    drop,
    erasure,
    grant,
    leaver,
    new_list,
    profile,
    put,
    subscribe,
    subscriber,
    suppress,
    unsubscribe,
    upsert,
)
from tests.klaviyo_sandbox.conftest import Sandbox, faults_of

UPSERT, IMPORT = "/api/profile-import", "/api/profile-bulk-import-jobs"
SUBSCRIBE, UNSUBSCRIBE = "/api/profile-subscription-bulk-create-jobs", "/api/profile-subscription-bulk-delete-jobs"
SUPPRESS, ERASE, LISTS = "/api/profile-suppression-bulk-create-jobs", "/api/data-privacy-deletion-jobs", "/api/lists"

A = ("data", "attributes")
FIRST = (*A, "profiles", "data", 0, "attributes")
PEOPLE, FIRST_OF = "/data/attributes/profiles/data", "/data/attributes/profiles/data/0/attributes"
LIST_ID = "/data/relationships/list/data/id"

IN_OCTOBER = grant(consented_at="2026-10-01T08:00:00Z")
SECOND_AHEAD = grant(consented_at="2026-11-20T12:00:01Z")
HUGE = profile(properties={"a": "x" * 60_000, "b": "x" * 40_000})
NUMBERED_LIST = {"list": {"data": {"type": "list", "id": 1}}}


def chosen(**channels: object) -> Json:
    return subscribe(subscriber(channels))


def historical(**channels: object) -> Json:
    return subscribe(subscriber(channels), historical_import=True)


SPOILT: list[tuple[str, str, Json, str]] = [
    ("custom property", UPSERT, upsert(loyalty="gold"), "/data/attributes/loyalty"),
    ("anonymous_id", UPSERT, upsert(anonymous_id="a"), "/data/attributes/anonymous_id"),
    ("consent", UPSERT, upsert(subscriptions={}), "/data/attributes/subscriptions"),
    ("first_name as a number", UPSERT, upsert(first_name=1), "/data/attributes/first_name"),
    ("location null", UPSERT, upsert(location=None), "/data/attributes/location"),
    ("nobody", UPSERT, upsert(email=None), "/data"),
    ("no attributes", UPSERT, drop(upsert(), *A), "/data/attributes"),
    ("unset as a number", UPSERT, put(upsert(), "data", "meta", value={"patch_properties": {"unset": 1}}),
     "/data/meta/patch_properties/unset"),
    ("no profiles", IMPORT, bulk_import(), PEOPLE),
    ("meta inside attributes", IMPORT, bulk_import(profile(meta={})), f"{FIRST_OF}/meta"),
    ("bad email", IMPORT, bulk_import(profile(), profile(email="x")), f"{PEOPLE}/1/attributes/email"),
    ("bad phone", IMPORT, bulk_import(profile(phone_number="1")), f"{FIRST_OF}/phone_number"),
    ("unknown list", IMPORT, bulk_import(profile(), lists=("NOPE01",)), "/data/relationships/lists/data/0/id"),
    ("singular list", IMPORT, put(bulk_import(profile()), "data", "relationships", value={"list": {}}),
     "/data/relationships/list"),
    ("unknown id", IMPORT, bulk_import({**profile(), "id": "01NOPE"}), f"{PEOPLE}/0/id"),
    ("a profile beyond 100 KB", IMPORT, bulk_import(HUGE), f"{PEOPLE}/0"),
    ("names of a subscriber", SUBSCRIBE, subscribe(subscriber(first_name="Eva")), f"{FIRST_OF}/first_name"),
    ("legacy list_id", SUBSCRIBE, put(subscribe(subscriber()), *A, "list_id", value="NEWS01"),
     "/data/attributes/list_id"),
    ("plural lists", SUBSCRIBE, put(subscribe(subscriber()), "data", "relationships", value={"lists": {}}),
     "/data/relationships/lists"),
    ("list id as a number", SUBSCRIBE, put(subscribe(subscriber()), "data", "relationships", value=NUMBERED_LIST),
     LIST_ID),
    ("unknown list", SUBSCRIBE, subscribe(subscriber(), list_id="NOPE01"), LIST_ID),
    ("no subscriptions", SUBSCRIBE, drop(subscribe(subscriber()), *FIRST, "subscriptions"),
     f"{FIRST_OF}/subscriptions"),
    ("empty subscriptions", SUBSCRIBE, chosen(), f"{FIRST_OF}/subscriptions"),
    ("empty channel", SUBSCRIBE, chosen(email={}), f"{FIRST_OF}/subscriptions/email"),
    ("unknown channel", SUBSCRIBE, chosen(fax={"marketing": grant()}), f"{FIRST_OF}/subscriptions/fax"),
    ("consent in lower case", SUBSCRIBE, chosen(email={"marketing": {"consent": "subscribed"}}),
     f"{FIRST_OF}/subscriptions/email/marketing/consent"),
    ("legacy channel list", SUBSCRIBE, chosen(email=["MARKETING"]), f"{FIRST_OF}/subscriptions/email"),
    ("historical_import as a string", SUBSCRIBE, subscribe(subscriber(), historical_import="true"),
     "/data/attributes/historical_import"),
    ("consented_at alone", SUBSCRIBE, chosen(email={"marketing": IN_OCTOBER}),
     f"{FIRST_OF}/subscriptions/email/marketing/consented_at"),
    ("historical_import alone", SUBSCRIBE, historical(email={"marketing": grant()}),
     f"{FIRST_OF}/subscriptions/email/marketing/consented_at"),
    ("consented_at in the future", SUBSCRIBE, historical(email={"marketing": SECOND_AHEAD}),
     f"{FIRST_OF}/subscriptions/email/marketing/consented_at"),
    ("consented_at of tracking", SUBSCRIBE, historical(email={"open_tracking": IN_OCTOBER}),
     f"{FIRST_OF}/subscriptions/email/open_tracking/consented_at"),
    ("sms without a phone", SUBSCRIBE, chosen(sms={"marketing": grant()}), f"{FIRST_OF}/phone_number"),
    ("email without an email", SUBSCRIBE, drop(subscribe(subscriber(phone_number="+46701234567")), *FIRST, "email"),
     f"{FIRST_OF}/email"),
    ("unknown id", SUBSCRIBE, subscribe({**subscriber(), "id": "01NOPE"}), f"{PEOPLE}/0/id"),
    ("date of birth", SUBSCRIBE, subscribe(subscriber(age_gated_date_of_birth="1980-02-30")),
     f"{FIRST_OF}/age_gated_date_of_birth"),
    ("nobody", SUBSCRIBE, subscribe(), PEOPLE),
    ("wrong job", SUBSCRIBE, unsubscribe(leaver()), "/data/type"),
    ("id of a leaver", UNSUBSCRIBE, unsubscribe({**leaver(), "id": "01"}), f"{PEOPLE}/0/id"),
    ("leaver who subscribes", UNSUBSCRIBE, unsubscribe(subscriber()),
     f"{FIRST_OF}/subscriptions/email/marketing/consent"),
    ("leaver without an address", UNSUBSCRIBE, drop(unsubscribe(leaver()), *FIRST, "email"), f"{FIRST_OF}/email"),
    ("push without tokens", UNSUBSCRIBE, unsubscribe(leaver({"push": {"marketing": {"consent": "UNSUBSCRIBED"}}})),
     f"{FIRST_OF}/subscriptions/push/tokens"),
    ("by phone", SUPPRESS, put(suppress("a@kund.example.com"), *FIRST, value={"phone_number": "+46701234567"}),
     f"{FIRST_OF}/email"),
    ("nobody", SUPPRESS, drop(suppress("a@kund.example.com"), *A, "profiles"), "/data/attributes/profiles"),
    ("two identifiers", ERASE, erasure(email="a@kund.example.com", phone_number="+46701234567"),
     "/data/attributes/profile/data"),
    ("nobody", ERASE, erasure(), "/data/attributes/profile/data"),
    ("by external id", ERASE, erasure(external_id="9"), "/data/attributes/profile/data/attributes/external_id"),
    ("no name", LISTS, new_list(""), "/data/attributes/name"),
    ("triple opt-in", LISTS, new_list("x", opt_in_process="triple_opt_in"), "/data/attributes/opt_in_process"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "pointer"), [row[1:] for row in SPOILT], ids=[f"{row[1]} {row[0]}" for row in SPOILT]
)
def test_a_spoilt_body_is_refused(sandbox: Sandbox, path: str, body: Json, pointer: str) -> None:
    answer = sandbox.post(path, body)
    assert answer.status_code == 400, answer.text
    assert ("invalid", pointer) in faults_of(answer)
    for kind in ("events", "profiles", "subscriptions", "lists"):
        assert sandbox.ledger(kind)["items"] == []
