from __future__ import annotations

from collections.abc import Callable

import pytest

from app.klaviyo.sandbox import Account
from tests.klaviyo_sandbox.bodies import Json, grant, leaver, subscribe, subscriber, suppress, unsubscribe, upsert
from tests.klaviyo_sandbox.conftest import HEADERS, Sandbox, faults_of

SUBSCRIBE, UNSUBSCRIBE = "/api/profile-subscription-bulk-create-jobs", "/api/profile-subscription-bulk-delete-jobs"
SUPPRESS, UNSUPPRESS = "/api/profile-suppression-bulk-create-jobs", "/api/profile-suppression-bulk-delete-jobs"
EVA = "eva.berg@kund.example.com"


def state(sandbox: Sandbox, email: str = EVA) -> Json:
    answer = sandbox.get(
        "/api/profiles", **{"filter": f'equals(email,"{email}")', "additional-fields[profile]": "subscriptions"}
    )
    subscriptions = answer.json()["data"][0]["attributes"]["subscriptions"]
    assert isinstance(subscriptions, dict)
    return subscriptions


def lines(sandbox: Sandbox) -> list[tuple[str, str, str | None, int]]:
    items = sandbox.ledger("subscriptions")["items"]
    assert isinstance(items, list)
    return [(item["channel"], item["consent"], item["list"], item["repeats"]) for item in items]


def members(sandbox: Sandbox, list_id: str) -> int:
    answer = sandbox.get(f"/api/lists/{list_id}", **{"additional-fields[list]": "profile_count"})
    count = answer.json()["data"]["attributes"]["profile_count"]
    assert isinstance(count, int)
    return count


def test_a_single_opt_in_list_subscribes_at_once(sandbox: Sandbox) -> None:
    answer = sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01", custom_source="Footer"))
    assert (answer.status_code, answer.content) == (202, b"")
    marketing = state(sandbox)["email"]["marketing"]
    assert (marketing["consent"], marketing["can_receive_email_marketing"]) == ("SUBSCRIBED", True)
    assert (marketing["custom_method_detail"], marketing["consent_timestamp"]) == (
        "Footer",
        "2026-11-20T12:00:00+00:00",
    )
    assert members(sandbox, "NEWS01") == 1
    assert state(sandbox)["sms"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"


def test_the_same_subscription_again_is_a_repeat(sandbox: Sandbox) -> None:
    for _ in range(3):
        sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01"))
    assert lines(sandbox) == [("email.marketing", "SUBSCRIBED", "NEWS01", 2)]
    assert sandbox.ledger("subscriptions")["totals"] == {"applied": 1, "repeats": 2, "requests": 3}


@pytest.mark.parametrize("list_id", ["DOUB01", None])
def test_double_opt_in_stays_pending(sandbox: Sandbox, list_id: str | None) -> None:
    for _ in range(2):
        assert sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id=list_id)).status_code == 202
    assert state(sandbox)["email"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"
    assert lines(sandbox) == [("email.marketing", "PENDING", list_id, 1)]
    assert members(sandbox, "DOUB01") == 0


def test_an_account_may_default_to_single_opt_in(play: Callable[..., Sandbox]) -> None:
    sandbox = play(accounts=(Account("SANDBX", opt_in_process="single_opt_in"),))
    sandbox.post(SUBSCRIBE, subscribe(subscriber()))
    assert lines(sandbox) == [("email.marketing", "SUBSCRIBED", None, 0)]


def test_a_historical_import_skips_double_opt_in_and_keeps_its_time(sandbox: Sandbox) -> None:
    given = {"email": {"marketing": grant(consented_at="2026-10-01T10:00:00+02:00"), "open_tracking": grant()}}
    body = subscribe(subscriber(given), list_id="DOUB01", historical_import=True)
    assert sandbox.post(SUBSCRIBE, body).status_code == 202
    marketing = state(sandbox)["email"]["marketing"]
    assert (marketing["consent"], marketing["consent_timestamp"]) == ("SUBSCRIBED", "2026-10-01T08:00:00+00:00")
    assert members(sandbox, "DOUB01") == 1


def test_subscribing_lifts_a_suppression_even_of_who_opted_out(sandbox: Sandbox) -> None:
    sandbox.post(UNSUBSCRIBE, unsubscribe(leaver()))
    sandbox.post(SUPPRESS, suppress(EVA))
    marketing = state(sandbox)["email"]["marketing"]
    assert [entry["reason"] for entry in marketing["suppression"]] == ["UNSUBSCRIBE", "USER_SUPPRESSED"]
    assert marketing["can_receive_email_marketing"] is False
    sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01"))
    marketing = state(sandbox)["email"]["marketing"]
    assert (marketing["suppression"], marketing["can_receive_email_marketing"]) == ([], True)


def test_unsubscribing_from_a_list_leaves_that_list_and_no_more(sandbox: Sandbox) -> None:
    sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01"))
    assert sandbox.post(UNSUBSCRIBE, unsubscribe(leaver(), list_id="NEWS01")).status_code == 202
    marketing = state(sandbox)["email"]["marketing"]
    assert (marketing["consent"], marketing["can_receive_email_marketing"]) == ("SUBSCRIBED", True)
    assert [entry["list_id"] for entry in marketing["list_suppressions"]] == ["NEWS01"]
    assert members(sandbox, "NEWS01") == 0


def test_unsubscribing_from_a_list_one_is_not_on_unsubscribes_everywhere(sandbox: Sandbox) -> None:
    sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01"))
    sandbox.post(UNSUBSCRIBE, unsubscribe(leaver(), list_id="DOUB01"))
    marketing = state(sandbox)["email"]["marketing"]
    assert (marketing["consent"], marketing["can_receive_email_marketing"]) == ("UNSUBSCRIBED", False)
    assert members(sandbox, "NEWS01") == 1


def test_a_list_unsubscribe_sent_twice_unsubscribes_everywhere(sandbox: Sandbox) -> None:
    sandbox.post(SUBSCRIBE, subscribe(subscriber(), list_id="NEWS01"))
    for _ in range(2):
        sandbox.post(UNSUBSCRIBE, unsubscribe(leaver(), list_id="NEWS01"))
    items = sandbox.ledger("subscriptions")["items"]
    assert isinstance(items, list)
    assert [(item["consent"], item["scope"]) for item in items] == [
        ("SUBSCRIBED", "global"),
        ("UNSUBSCRIBED", "list"),
        ("UNSUBSCRIBED", "global"),
    ]


def test_unknown_people_are_created_and_unsubscribed(sandbox: Sandbox) -> None:
    for _ in range(2):
        sandbox.post(UNSUBSCRIBE, unsubscribe(leaver(email="new@kund.example.com")))
    assert state(sandbox, "new@kund.example.com")["email"]["marketing"]["consent"] == "UNSUBSCRIBED"
    assert lines(sandbox) == [("email.marketing", "UNSUBSCRIBED", None, 1)]


def test_consent_to_a_phone_belongs_to_who_holds_it(sandbox: Sandbox) -> None:
    sandbox.post("/api/profile-import", upsert(phone_number="+46701234567"))
    both = {"email": {"marketing": grant()}, "sms": {"marketing": grant()}}
    son = subscriber(both, email="son@kund.example.com", phone_number="+46701234567")
    sandbox.post(SUBSCRIBE, subscribe(son, list_id="NEWS01"))
    assert state(sandbox)["sms"]["marketing"]["consent"] == "SUBSCRIBED"
    assert state(sandbox)["email"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"
    assert state(sandbox, "son@kund.example.com")["email"]["marketing"]["consent"] == "SUBSCRIBED"


def test_sms_needs_an_account_that_can_send_them(play: Callable[..., Sandbox]) -> None:
    sandbox = play(accounts=(Account("SANDBX", sms=False),))
    both = {"email": {"marketing": grant()}, "sms": {"marketing": grant()}}
    answer = sandbox.post(SUBSCRIBE, subscribe(subscriber(both, phone_number="+46701234567")))
    assert faults_of(answer) == [("invalid", "/data/attributes/profiles/data/0/attributes/subscriptions/sms")]
    assert lines(sandbox) == []


def test_an_age_gated_account_wants_a_date_of_birth_for_sms(play: Callable[..., Sandbox]) -> None:
    sandbox = play(accounts=(Account("SANDBX", age_gated=True),))
    sms = {"sms": {"marketing": grant()}}
    young = subscriber(sms, phone_number="+46701234567")
    pointer = "/data/attributes/profiles/data/0/attributes/age_gated_date_of_birth"
    assert faults_of(sandbox.post(SUBSCRIBE, subscribe(young))) == [("invalid", pointer)]
    old = subscriber(sms, phone_number="+46701234567", age_gated_date_of_birth="1970-05-01")
    assert sandbox.post(SUBSCRIBE, subscribe(old)).status_code == 202
    assert sandbox.post(SUBSCRIBE, subscribe(subscriber())).status_code == 202


def test_suppressing_is_a_job_and_unsuppressing_lifts_nothing_else(sandbox: Sandbox) -> None:
    sandbox.post(UNSUBSCRIBE, unsubscribe(leaver()))
    answer = sandbox.post(SUPPRESS, suppress(EVA, "unknown@kund.example.com"))
    assert answer.status_code == 202
    assert answer.json()["data"]["type"] == "profile-suppression-bulk-create-job"
    assert answer.json()["data"]["attributes"]["total_count"] == 2
    lifted = sandbox.post(UNSUPPRESS, suppress(EVA, "nobody@kund.example.com", kind="delete"))
    assert lifted.json()["data"]["attributes"]["skipped_count"] == 1
    assert [entry["reason"] for entry in state(sandbox)["email"]["marketing"]["suppression"]] == ["UNSUBSCRIBE"]
    assert lines(sandbox) == [
        ("email.marketing", "UNSUBSCRIBED", None, 0),
        ("email.marketing", "SUPPRESSED", None, 0),
        ("email.marketing", "SUPPRESSED", None, 0),
        ("email.marketing", "UNSUPPRESSED", None, 0),
    ]


def test_a_whole_list_is_suppressed(sandbox: Sandbox) -> None:
    sandbox.post(SUBSCRIBE, subscribe(subscriber(), subscriber(email="bo@kund.example.com"), list_id="NEWS01"))
    body = {
        "data": {
            "type": "profile-suppression-bulk-create-job",
            "attributes": {},
            "relationships": {"list": {"data": {"type": "list", "id": "NEWS01"}}},
        }
    }
    answer = sandbox.http.post(SUPPRESS, json=body, headers=HEADERS)
    assert answer.json()["data"]["attributes"]["total_count"] == 2
    assert state(sandbox, "bo@kund.example.com")["email"]["marketing"]["can_receive_email_marketing"] is False
