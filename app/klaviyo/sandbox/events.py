"""Events: one at a time, in bulk (all or nothing), and read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import orjson
from pydantic import TypeAdapter

from app.klaviyo.sandbox.accounts import METRICS_PER_ACCOUNT, Account
from app.klaviyo.sandbox.answers import Answer, problem, refused, wrong, wrong_parameter
from app.klaviyo.sandbox.bodies import EVENTS_PER_REQUEST, BulkEventAttributes, BulkEventsBody, EventBody
from app.klaviyo.sandbox.call import Call, iso
from app.klaviyo.sandbox.fields import moment
from app.klaviyo.sandbox.ledger import AppliedEvent
from app.klaviyo.sandbox.metrics import metric_resource
from app.klaviyo.sandbox.parse import read_body
from app.klaviyo.sandbox.people import Key, identifiers, keys
from app.klaviyo.sandbox.profiles import profile_resource
from app.klaviyo.sandbox.reads import ORDER, Resource, conditions, listing, self_link
from app.klaviyo.sandbox.shapes import Person

_EVENT = TypeAdapter(EventBody)
_EVENTS = TypeAdapter(BulkEventsBody)

_FILTERS = {
    "metric_id": frozenset({"equals"}),
    "profile_id": frozenset({"equals"}),
    "datetime": ORDER,
    "timestamp": ORDER,
}


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One person and their events, with the pointers to each in the body."""

    pointer: str
    person: Person
    wanted: dict[str, str]
    backfill: bool
    events: list[tuple[str, BulkEventAttributes]]


def create_event(call: Call) -> Answer:
    """POST /api/events: 202 and empty, also for a unique id that is known already."""
    attributes = read_body(_EVENT, call.body, call.now)["data"]["attributes"]
    person = attributes["profile"]["data"]
    events: list[tuple[str, BulkEventAttributes]] = [("/data/attributes", attributes)]
    return _take(call, [_Arrival("/data/attributes/profile/data", person, identifiers(person), False, events)])


def create_events(call: Call) -> Answer:
    """POST /api/event-bulk-create-jobs: 202 and empty (no job), or 400 and not one event is taken."""
    root = "/data/attributes/events-bulk-create/data"
    arrivals = []
    for i, group in enumerate(read_body(_EVENTS, call.body, call.now)["data"]["attributes"]["groups"]["data"]):
        at, attributes = f"{root}/{i}/attributes", group["attributes"]
        events = [
            (f"{at}/events/data/{j}/attributes", event["attributes"])
            for j, event in enumerate(attributes["events"]["data"])
        ]
        person = attributes["profile"]["data"]
        backfill = bool(attributes.get("backfill"))
        arrivals.append(_Arrival(f"{at}/profile/data", person, identifiers(person), backfill, events))
    if sum(len(arrival.events) for arrival in arrivals) > EVENTS_PER_REQUEST:
        raise wrong(root, "A request cannot hold more than 1000 events.")
    return _take(call, arrivals)


def _take(call: Call, arrivals: list[_Arrival]) -> Answer:
    call.items = sum(len(arrival.events) for arrival in arrivals)
    problems = [
        *_unknown_people(call.account, arrivals),
        *_repeated_ids(call, arrivals),
        *_metrics_beyond_ceiling(call.account, arrivals),
    ]
    if problems:
        raise refused(*problems)
    log = call.account.events
    log.requests += 1
    for arrival in arrivals:
        wanted = arrival.wanted
        profile = call.account.people.track(arrival.person, wanted, call.now)
        for _, event in arrival.events:
            metric = call.account.metric(event["metric"]["data"]["attributes"]["name"], call.now)
            log.record(
                AppliedEvent(
                    id=f"EV{len(log.entries) + 1:09d}",
                    account=call.account.id,
                    metric=metric.name,
                    profile_id=profile.id,
                    email=wanted.get("email"),
                    phone_number=wanted.get("phone_number"),
                    external_id=wanted.get("external_id"),
                    unique_id=_unique_id(event, call.now),
                    time=event.get("time") or iso(int(call.now)),
                    timestamp=_second(event, call.now),
                    value=event.get("value"),
                    value_currency=event.get("value_currency"),
                    # Decoded because the bytes that orjson returns keep 8 KB of memory each.
                    properties=orjson.Fragment(orjson.dumps(event["properties"]).decode()),
                    backfill=arrival.backfill or bool(event.get("backfill")),
                    received_at=call.now,
                )
            )
    return Answer(202)


def _second(event: BulkEventAttributes, now: float) -> int:
    time = event.get("time")
    return int(moment(time).timestamp()) if time else int(now)


def _unique_id(event: BulkEventAttributes, now: float) -> str:
    return event.get("unique_id") or str(_second(event, now))


def _unknown_people(account: Account, arrivals: list[_Arrival]) -> Iterable[Resource]:
    for arrival in arrivals:
        profile_id = arrival.person.get("id")
        if profile_id is not None and account.people.find("id", profile_id) is None:
            yield problem(f"{arrival.pointer}/id", f"A profile with id {profile_id} does not exist.")


def _repeated_ids(call: Call, arrivals: list[_Arrival]) -> Iterable[Resource]:
    tokens: dict[Key, Key] = {}
    seen: set[tuple[Key, str, str]] = set()
    for arrival in arrivals:
        known = call.account.people.locate(arrival.wanted)
        given = keys(arrival.wanted)
        token = ("id", known.id) if known else next((tokens[key] for key in given if key in tokens), given[0])
        tokens.update(dict.fromkeys(given, token))
        for pointer, event in arrival.events:
            effect = token, event["metric"]["data"]["attributes"]["name"], _unique_id(event, call.now)
            if effect in seen:
                yield problem(f"{pointer}/unique_id", "The unique_id is repeated for the same profile and metric.")
            seen.add(effect)


def _metrics_beyond_ceiling(account: Account, arrivals: list[_Arrival]) -> Iterable[Resource]:
    names = set(account.metrics)
    for arrival in arrivals:
        for pointer, event in arrival.events:
            name = event["metric"]["data"]["attributes"]["name"]
            if name not in names and len(names) >= METRICS_PER_ACCOUNT:
                detail = f"The account has {METRICS_PER_ACCOUNT} metrics and cannot create another."
                yield problem(f"{pointer}/metric/data/attributes/name", detail)
            elif name not in names:
                names.add(name)


def get_events(call: Call) -> Answer:
    """GET /api/events: filtered by metric, profile and time, sorted by time, with metrics and profiles on request."""
    account, terms = call.account, conditions(call, _FILTERS)

    def passes(event: AppliedEvent) -> bool:
        actual: Mapping[str, object] = {
            "metric_id": account.metrics[event.metric].id,
            "profile_id": event.profile_id,
            "datetime": event.timestamp,
            "timestamp": event.timestamp,
        }
        return all(term.holds(actual[term.field]) for term in terms)

    order = call.query.get("sort", "datetime")
    if order.removeprefix("-") not in ("datetime", "timestamp"):
        raise wrong_parameter("sort", "Events are sorted by datetime or timestamp.")
    events = sorted(
        filter(passes, account.events.entries.values()), key=lambda event: event.timestamp, reverse=order[0] == "-"
    )
    include = call.query.get("include", "").split(",")

    def included(page: list[AppliedEvent]) -> list[Resource]:
        metrics = {event.metric: account.metrics[event.metric] for event in page} if "metric" in include else {}
        people = {event.profile_id for event in page} & account.people.profiles.keys() if "profile" in include else ()
        return [
            *(metric_resource(call, metric) for metric in metrics.values()),
            *(profile_resource(call, account.people.profiles[profile_id]) for profile_id in sorted(people)),
        ]

    return listing(
        call, events, lambda event: _event_resource(call, event), default=200, maximum=1000, included=included
    )


def _event_resource(call: Call, event: AppliedEvent) -> Resource:
    extra = {"$event_id": event.unique_id}
    money = {} if event.value is None else {"$value": event.value, "$currency_code": event.value_currency}
    return {
        "type": "event",
        "id": event.id,
        "attributes": {
            "timestamp": event.timestamp,
            "event_properties": {**orjson.loads(orjson.dumps(event.properties)), **extra, **money},
            "datetime": iso(event.timestamp),
            "uuid": str(uuid5(NAMESPACE_URL, event.id)),
        },
        "relationships": {
            "profile": {"data": {"type": "profile", "id": event.profile_id}},
            "metric": {"data": {"type": "metric", "id": call.account.metrics[event.metric].id}},
        },
        "links": self_link(call, f"/api/events/{event.id}"),
    }
