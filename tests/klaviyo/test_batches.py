"""Request bodies are stored bytes joined, cut inside Klaviyo's limits."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from app.klaviyo.batches import BULK, SINGLE, call, plan, without_phone
from app.klaviyo.commands import Kind
from app.klaviyo.outcomes import Meaning, Outcome
from app.klaviyo.repairs import repair


class Member(NamedTuple):
    id: int
    profile: bytes
    payload: bytes


def event(id_: int, email: str = "", unique_id: str = "", size: int = 0) -> Member:
    profile = {"type": "profile", "attributes": {"email": email or f"p{id_}@shop.test", "phone_number": "+46701740605"}}
    payload = {
        "metric": {"data": {"type": "metric", "attributes": {"name": "Placed Order"}}},
        "properties": {"pad": "x" * size}, "time": "2026-11-20T12:00:00Z", "unique_id": unique_id or str(id_),
    }  # fmt: skip
    return Member(id_, orjson.dumps(profile), orjson.dumps(payload))


def consent(id_: int, list_id: str = "L1", channels: tuple[str, ...] = ("email",)) -> Member:
    profile = {
        "type": "profile",
        "attributes": {"email": f"p{id_}@shop.test", "phone_number": "+46701740605", "first_name": "A"},
    }
    payload = {
        "list_id": list_id,
        "channels": channels,
        "source": "checkout",
        "historical": False,
        "consented_at": None,
    }
    return Member(id_, orjson.dumps(profile), orjson.dumps(payload))


def test_a_single_event_is_its_stored_bytes_in_klaviyos_envelope() -> None:
    made = call(Kind.TRACK, SINGLE, [event(1)])
    assert made.path == "/api/events"
    attributes = orjson.loads(made.body)["data"]["attributes"]
    assert attributes["profile"] == {"data": orjson.loads(event(1).profile)}
    assert {k: v for k, v in attributes.items() if k != "profile"} == orjson.loads(event(1).payload)


def test_bulk_groups_by_person_and_remembers_who_stands_where() -> None:
    made = call(Kind.TRACK, BULK, [event(1, "a@shop.test"), event(2, "b@shop.test"), event(3, "a@shop.test")])
    assert made.path == "/api/event-bulk-create-jobs"
    assert made.order == ((0, 2), (1,))
    groups = orjson.loads(made.body)["data"]["attributes"]["events-bulk-create"]["data"]
    ids = [[e["attributes"]["unique_id"] for e in g["attributes"]["events"]["data"]] for g in groups]
    assert ids == [["1", "3"], ["2"]]


def test_the_same_members_give_the_same_bytes() -> None:
    members = [event(n, f"p{n % 3}@shop.test") for n in range(50)]
    assert call(Kind.TRACK, BULK, members) == call(Kind.TRACK, BULK, members)


def test_few_events_go_singly_many_together() -> None:
    assert [form for form, _ in plan(Kind.TRACK, [event(n) for n in range(23)])] == [SINGLE] * 23
    assert [(form, len(some)) for form, some in plan(Kind.TRACK, [event(n) for n in range(24)])] == [(BULK, 24)]


def test_a_bulk_request_holds_a_thousand_events() -> None:
    sizes = [len(some) for _, some in plan(Kind.TRACK, [event(n) for n in range(2500)])]
    assert sizes == [1000, 1000, 500]


def test_a_bulk_request_stays_under_four_and_a_half_megabytes() -> None:
    cut = plan(Kind.TRACK, [event(n, size=90_000) for n in range(120)])
    assert sum(len(some) for _, some in cut) == 120
    assert all(len(call(Kind.TRACK, BULK, some).body) <= 4_500_000 for _, some in cut)
    assert len(cut) == 3


def test_an_event_id_never_repeats_in_one_request() -> None:
    cut = plan(Kind.TRACK, [event(n, "a@shop.test", unique_id=str(n % 20)) for n in range(40)])
    assert [len(some) for _, some in cut] == [20, 20]


def test_consents_of_different_lists_or_channels_never_share_a_request() -> None:
    members = [consent(1), consent(2, "L2"), consent(3), consent(4, channels=("email", "sms"))]
    cut = plan(Kind.SUBSCRIBE, members)
    assert sorted([m.id for m in some] for _, some in cut) == [[1, 3], [2], [4]]


def test_a_subscription_names_list_source_and_only_the_identifiers_its_channels_need() -> None:
    made = call(Kind.SUBSCRIBE, BULK, [consent(1)])
    assert made.path == "/api/profile-subscription-bulk-create-jobs"
    assert orjson.loads(made.body) == {
        "data": {
            "type": "profile-subscription-bulk-create-job",
            "attributes": {
                "custom_source": "checkout",
                "profiles": {
                    "data": [
                        {
                            "type": "profile",
                            "attributes": {
                                "email": "p1@shop.test",
                                "subscriptions": {"email": {"marketing": {"consent": "SUBSCRIBED"}}},
                            },
                        }
                    ]
                },
            },
            "relationships": {"list": {"data": {"type": "list", "id": "L1"}}},
        }
    }


def test_unsubscribe_jobs_hold_a_hundred() -> None:
    assert [len(some) for _, some in plan(Kind.UNSUBSCRIBE, [consent(n) for n in range(250)])] == [100, 100, 50]


def test_a_profile_without_its_phone_keeps_everything_else() -> None:
    assert orjson.loads(without_phone(event(1).profile) or b"") == {
        "type": "profile",
        "attributes": {"email": "p1@shop.test"},
    }
    only_phone = orjson.dumps({"type": "profile", "attributes": {"phone_number": "+46701740605"}})
    assert without_phone(only_phone) is None
    assert without_phone(orjson.dumps({"type": "profile", "attributes": {"email": "a@b.test"}})) is None


def pointed(*indices: int, phones: tuple[int, ...] = ()) -> Outcome:
    return Outcome(Meaning.REPAIR, "", items={index: f"bad {index}" for index in indices}, phones=frozenset(phones))


def test_one_bad_of_a_thousand_costs_one_more_call() -> None:
    members = [event(n) for n in range(1000)]
    mended = repair(members, BULK, call(Kind.TRACK, BULK, members), pointed(417))
    assert mended.rejected == [(417, "bad 417")]
    assert [(form, len(ids)) for form, ids in mended.batches] == [(BULK, 999)]
    assert 417 not in mended.batches[0][1]


def test_a_bad_phone_is_left_out_and_the_event_goes_on() -> None:
    members = [event(n) for n in range(30)]
    mended = repair(members, BULK, call(Kind.TRACK, BULK, members), pointed(3, phones=(3,)))
    assert not mended.rejected
    assert [id_ for id_, _ in mended.repaired] == [3]
    assert sorted(mended.batches[0][1]) == list(range(30))


def test_a_pointed_person_with_several_events_sends_them_one_by_one() -> None:
    members = [event(1, "a@shop.test"), event(2, "b@shop.test"), event(3, "a@shop.test")]
    mended = repair(members, BULK, call(Kind.TRACK, BULK, members), pointed(0))
    assert mended.batches == [(BULK, [2]), (SINGLE, [1]), (SINGLE, [3])]
    assert not mended.rejected


def test_without_a_pointer_the_batch_is_halved_and_nobody_is_lost() -> None:
    members = [event(n) for n in range(1, 6)]
    mended = repair(members, BULK, call(Kind.TRACK, BULK, members), pointed())
    assert mended.batches == [(BULK, [1, 2, 3]), (BULK, [4, 5])]
