"""Klaviyo's own SDK, unmodified, finds in the sandbox what it expects of Klaviyo."""

from __future__ import annotations

import pytest

from tests.klaviyo_sandbox.bodies import (
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
from tests.klaviyo_sandbox.conftest import Sandbox

klaviyo_api = pytest.importorskip("klaviyo_api")
openapi_client = pytest.importorskip("openapi_client")


@pytest.fixture
def sdk(sandbox: Sandbox):  # type: ignore[no-untyped-def]  # the SDK has no types
    client = klaviyo_api.KlaviyoAPI("pk_sandbox", max_retries=1, test_host=sandbox.url)
    yield client
    client.api_client.rest_client.pool_manager.clear()


def test_events_and_their_reading(sandbox: Sandbox, sdk) -> None:  # type: ignore[no-untyped-def]
    assert sdk.Events.create_event(event()) is None
    who = profile(email="bo@kund.example.com", first_name="Bo")
    sdk.Events.bulk_create_events(bulk(group(who, event_attributes(), event_attributes(unique_id="2"))))
    assert sandbox.ledger("events")["totals"] == {"applied": 3, "repeats": 0, "requests": 2}
    metrics = sdk.Metrics.get_metrics().data
    assert [metric.attributes.name for metric in metrics] == ["Placed Order"]
    wanted = f'equals(metric_id,"{metrics[0].id}")'
    read = sdk.Events.get_events(filter=wanted, include=["profile", "metric"])
    assert [entry.attributes.event_properties["$event_id"] for entry in read.data] == ["shop:5001", "shop:5001", "2"]
    assert len(read.included) == 3


def test_profiles(sandbox: Sandbox, sdk) -> None:  # type: ignore[no-untyped-def]
    created = sdk.Profiles.create_or_update_profile(upsert(first_name="Eva", location={"city": "Umeå"}))
    assert created.data.attributes.location.city == "Umeå"
    job = sdk.Profiles.bulk_import_profiles(bulk_import(profile(title="VD"), lists=("NEWS01",))).data
    read = sdk.Profiles.get_bulk_import_profiles_job(job.id).data
    assert (read.attributes.status, read.attributes.completed_count) == ("complete", 1)
    assert sdk.Profiles.get_errors_for_bulk_import_profiles_job(job.id).data == []
    found = sdk.Profiles.get_profiles(
        filter='equals(email,"eva.berg@kund.example.com")', additional_fields_profile=["subscriptions"]
    ).data
    assert found[0].attributes.title == "VD"
    assert found[0].attributes.subscriptions.email.marketing.consent == "NEVER_SUBSCRIBED"
    sdk.Data_Privacy.request_profile_deletion(erasure(email="eva.berg@kund.example.com"))
    assert sandbox.ledger("profiles")["items"] == []


def test_consents(sandbox: Sandbox, sdk) -> None:  # type: ignore[no-untyped-def]
    chosen = {"email": {"marketing": grant()}, "sms": {"marketing": grant(), "transactional": grant()}}
    who = subscriber(chosen, phone_number="+46701234567")
    sdk.Profiles.bulk_subscribe_profiles(subscribe(who, list_id="NEWS01", custom_source="SDK"))
    sdk.Profiles.bulk_unsubscribe_profiles(unsubscribe(leaver()))
    job = sdk.Profiles.bulk_suppress_profiles(suppress("eva.berg@kund.example.com")).data
    assert job.attributes.total_count == 1
    sdk.Profiles.bulk_unsuppress_profiles(suppress("eva.berg@kund.example.com", kind="delete"))
    items = sandbox.ledger("subscriptions")["items"]
    assert isinstance(items, list)
    assert [(item["channel"], item["consent"]) for item in items] == [
        ("email.marketing", "SUBSCRIBED"),
        ("sms.marketing", "SUBSCRIBED"),
        ("sms.transactional", "SUBSCRIBED"),
        ("email.marketing", "UNSUBSCRIBED"),
        ("email.marketing", "SUPPRESSED"),
        ("email.marketing", "UNSUPPRESSED"),
    ]


def test_lists(sandbox: Sandbox, sdk) -> None:  # type: ignore[no-untyped-def]
    list_id = sdk.Lists.create_list(new_list("VIP", opt_in_process="single_opt_in")).data.id
    assert [entry.id for entry in sdk.Lists.get_lists(filter='any(name,["VIP"])').data] == [list_id]
    who = sdk.Profiles.create_or_update_profile(upsert()).data.id
    members = {"data": [{"type": "profile", "id": who}]}
    sdk.Lists.add_profiles_to_list(list_id, members)
    counted = sdk.Lists.get_list(list_id, additional_fields_list=["profile_count"]).data
    assert counted.attributes.profile_count == 1
    sdk.Lists.remove_profiles_from_list(list_id, members)
    assert sdk.Accounts.get_accounts().data[0].id == "SANDBX"
    assert sandbox.ledger("lists")["totals"] == {"applied": 2, "repeats": 0, "requests": 2}


def test_a_refusal_reaches_the_caller(sandbox: Sandbox, sdk) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(openapi_client.exceptions.BadRequestException) as caught:
        sdk.Events.create_event(event(profile(phone_number="12")))
    assert caught.value.status == 400
    sandbox.fault({"retry_after": 1})
    with pytest.raises(openapi_client.exceptions.ApiException) as throttled:
        sdk.Events.create_event(event())
    assert throttled.value.status == 429
