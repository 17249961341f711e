"""Consent given and taken back: subscribe and unsubscribe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter

from app.klaviyo.sandbox.accounts import Account, MailingList
from app.klaviyo.sandbox.answers import Answer, problem, refused
from app.klaviyo.sandbox.call import Call
from app.klaviyo.sandbox.consent_bodies import ListRelationship, SubscribeBody, Subscriber, UnsubscribeBody
from app.klaviyo.sandbox.fields import moment
from app.klaviyo.sandbox.ledger import ConsentChange
from app.klaviyo.sandbox.lists import join, leave
from app.klaviyo.sandbox.parse import read_body
from app.klaviyo.sandbox.people import Consent, Profile
from app.klaviyo.sandbox.reads import Resource

_SUBSCRIBE = TypeAdapter(SubscribeBody)
_UNSUBSCRIBE = TypeAdapter(UnsubscribeBody)

_PROFILES = "/data/attributes/profiles/data"
_ADDRESS = {"email": "email", "sms": "phone_number", "whatsapp": "phone_number"}
_DATED = ("marketing", "transactional")
_LIFTED = ("UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED")

Choice = tuple[str, str, Mapping[str, object]]


def subscribe(call: Call) -> Answer:
    """POST /api/profile-subscription-bulk-create-jobs: 202 and empty.

    Lifts suppressions, also of people who opted out. Under double opt-in nothing changes but a PENDING line in the
    ledger, unless it is a historical import.
    """
    body = read_body(_SUBSCRIBE, call.body, call.now)["data"]
    attributes, entry = body["attributes"], list_named(call, body.get("relationships", {}))
    historical = bool(attributes.get("historical_import"))
    people = attributes["profiles"]["data"]
    problems = [
        fault
        for i, person in enumerate(people)
        for fault in _subscriber_problems(call.account, f"{_PROFILES}/{i}", person, historical=historical)
    ]
    if problems:
        raise refused(*problems)
    call.items = len(people)
    call.account.consents.requests += 1
    process = entry.opt_in_process if entry else call.account.opt_in_process
    pending = process == "double_opt_in" and not historical
    for person in people:
        wanted = _identifiers(person)
        profile = call.account.people.claim(wanted, call.now)
        joined = join(call, entry, profile, "subscribe") if entry and not pending else False
        for channel, purpose, grant in _choices(person["attributes"]["subscriptions"]):
            holder = _holder(call.account, profile, channel, wanted)
            given = grant.get("consented_at")
            at = moment(given).timestamp() if isinstance(given, str) else call.now
            name, source = f"{channel}.{purpose}", attributes.get("custom_source")
            changed = None if pending else _grant(holder, name, Consent("SUBSCRIBED", at, source), entry) or joined
            change = consent_change(call, holder, name, "PENDING" if pending else "SUBSCRIBED", entry)
            change.consented_at = given if isinstance(given, str) else None
            change.custom_source, change.historical_import = source, historical
            call.account.consents.record(change, changed=changed)
    return Answer(202)


def unsubscribe(call: Call) -> Answer:
    """POST /api/profile-subscription-bulk-delete-jobs: 202 and empty.

    With a list the person is on, they leave that list and no more; with a list they are not on, or without a list, they
    are unsubscribed everywhere. So the same request sent again, after the list was left, unsubscribes everywhere.
    """
    body = read_body(_UNSUBSCRIBE, call.body, call.now)["data"]
    entry = list_named(call, body.get("relationships", {}))
    people = body["attributes"]["profiles"]["data"]
    problems = [
        fault
        for i, person in enumerate(people)
        for fault in _address_problems(f"{_PROFILES}/{i}", person["attributes"], person["attributes"]["subscriptions"])
    ]
    if problems:
        raise refused(*problems)
    call.items = len(people)
    call.account.consents.requests += 1
    for person in people:
        wanted = _given(email=person["attributes"].get("email"), phone_number=person["attributes"].get("phone_number"))
        profile = call.account.people.claim(wanted, call.now)
        left = entry if entry and leave(call, entry, profile, "unsubscribe") else None
        for channel, purpose, _ in _choices(person["attributes"]["subscriptions"]):
            holder, name = _holder(call.account, profile, channel, wanted), f"{channel}.{purpose}"
            change = consent_change(call, holder, name, "UNSUBSCRIBED", entry)
            if left:
                change.scope = "list"
                holder.list_suppressions[left.id] = call.now
                changed = True
            else:
                changed = _withdraw(holder, name, call.now)
            call.account.consents.record(change, changed=changed)
    return Answer(202)


def list_named(call: Call, relationships: ListRelationship) -> MailingList | None:
    """Find the list of a consent request, if it names one; an unknown list is refused with 400."""
    if "list" not in relationships:
        return None
    return call.account.list_of(relationships["list"]["data"]["id"], "/data/relationships/list/data/id")


def _choices(subscriptions: Mapping[str, object]) -> Iterable[Choice]:
    for channel, purposes in subscriptions.items():
        for purpose, choice in purposes.items() if isinstance(purposes, dict) else ():
            if isinstance(choice, dict):
                yield channel, purpose, choice


def _given(**identifiers: str | None) -> dict[str, str]:
    return {kind: value for kind, value in identifiers.items() if value is not None}


def _identifiers(person: Subscriber) -> dict[str, str]:
    attributes = person["attributes"]
    push = attributes["subscriptions"].get("push")
    return _given(
        id=person.get("id"),
        email=attributes.get("email"),
        phone_number=attributes.get("phone_number"),
        anonymous_id=push.get("anonymous_id") if push else None,
    )


def _address_problems(
    pointer: str, attributes: Mapping[str, object], subscriptions: Mapping[str, object]
) -> Iterable[Resource]:
    for channel in subscriptions:
        needed = _ADDRESS.get(channel)
        if needed and attributes.get(needed) is None:
            detail = f"{needed} is required for the channel {channel}."
            yield problem(f"{pointer}/attributes/{needed}", detail)


def _subscriber_problems(account: Account, pointer: str, person: Subscriber, *, historical: bool) -> Iterable[Resource]:
    attributes = person["attributes"]
    subscriptions = attributes["subscriptions"]
    profile_id = person.get("id")
    if profile_id is not None and account.people.find("id", profile_id) is None:
        yield problem(f"{pointer}/id", f"A profile with id {profile_id} does not exist.")
    if not _identifiers(person):
        yield problem(f"{pointer}/attributes", "An email or phone_number is required.")
    yield from _address_problems(pointer, attributes, subscriptions)
    if "sms" in subscriptions and not account.sms:
        detail = "SMS configuration is required to subscribe profiles to SMS."
        yield problem(f"{pointer}/attributes/subscriptions/sms", detail)
    if "sms" in subscriptions and account.age_gated and attributes.get("age_gated_date_of_birth") is None:
        yield problem(f"{pointer}/attributes/age_gated_date_of_birth", "The account requires a date of birth for SMS.")
    for channel, purpose, grant in _choices(subscriptions):
        dated = grant.get("consented_at") is not None
        at = f"{pointer}/attributes/subscriptions/{channel}/{purpose}/consented_at"
        if historical and not dated and purpose in _DATED:
            yield problem(at, "consented_at is required for a historical import.")
        if dated and not historical:
            yield problem(at, "consented_at is only for a historical import.")


def _holder(account: Account, profile: Profile, channel: str, wanted: Mapping[str, str]) -> Profile:
    """Consent belongs to the address: a phone that somebody else holds stays theirs."""
    kind = _ADDRESS.get(channel)
    return (account.people.find(kind, wanted[kind]) if kind else None) or profile


def _grant(profile: Profile, channel: str, consent: Consent, entry: MailingList | None) -> bool:
    before = profile.consents.get(channel)
    changed = before is None or before.status != consent.status
    profile.consents[channel] = consent
    if channel == "email.marketing":
        for reason in _LIFTED:
            changed |= profile.suppressions.pop(reason, None) is not None
        if entry:
            changed |= profile.list_suppressions.pop(entry.id, None) is not None
    return changed


def _withdraw(profile: Profile, channel: str, now: float) -> bool:
    before = profile.consents.get(channel)
    profile.consents[channel] = Consent("UNSUBSCRIBED", now)
    if channel == "email.marketing":
        profile.suppressions.setdefault("UNSUBSCRIBE", now)
    return before is None or before.status != "UNSUBSCRIBED"


def consent_change(
    call: Call, profile: Profile, channel: str, consent: str, entry: MailingList | None
) -> ConsentChange:
    """A line for the ledger; `entry` is the list that the request named."""
    return ConsentChange(
        account=call.account.id,
        profile_id=profile.id,
        email=profile.identifiers.get("email"),
        phone_number=profile.identifiers.get("phone_number"),
        channel=channel,
        consent=consent,
        list=entry.id if entry else None,
        received_at=call.now,
    )
