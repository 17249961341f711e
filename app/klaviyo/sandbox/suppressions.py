"""Suppression: e-mail addresses that are written to under no circumstances, until they are unsuppressed."""

from __future__ import annotations

from pydantic import TypeAdapter

from app.klaviyo.sandbox.answers import Answer, document, wrong
from app.klaviyo.sandbox.call import Call, iso
from app.klaviyo.sandbox.consent_bodies import ListRelationship, SuppressBody, SuppressionAttributes, UnsuppressBody
from app.klaviyo.sandbox.consents import consent_change, list_named
from app.klaviyo.sandbox.parse import read_body
from app.klaviyo.sandbox.people import Profile
from app.klaviyo.sandbox.reads import Resource, self_link

_SUPPRESS = TypeAdapter(SuppressBody)
_UNSUPPRESS = TypeAdapter(UnsuppressBody)
_REASON = "USER_SUPPRESSED"


def suppress(call: Call) -> Answer:
    """POST /api/profile-suppression-bulk-create-jobs: 202 with a job; unknown people are created and suppressed."""
    body = read_body(_SUPPRESS, call.body, call.now)["data"]
    emails, members = _named(call, body["attributes"], body.get("relationships", {}))
    people = [call.account.people.claim({"email": email}, call.now) for email in emails]
    for profile in [*people, *members]:
        changed = _REASON not in profile.suppressions
        profile.suppressions.setdefault(_REASON, call.now)
        change = consent_change(call, profile, "email.marketing", "SUPPRESSED", None)
        call.account.consents.record(change, changed=changed)
    return _accepted(call, body["type"], total=len(emails) + len(members), skipped=0)


def unsuppress(call: Call) -> Answer:
    """POST /api/profile-suppression-bulk-delete-jobs: 202 with a job; lifts USER_SUPPRESSED only, skips the unknown."""
    body = read_body(_UNSUPPRESS, call.body, call.now)["data"]
    emails, members = _named(call, body["attributes"], body.get("relationships", {}))
    found = [call.account.people.find("email", email) for email in emails]
    people = [profile for profile in [*found, *members] if profile is not None]
    for profile in people:
        changed = profile.suppressions.pop(_REASON, None) is not None
        change = consent_change(call, profile, "email.marketing", "UNSUPPRESSED", None)
        call.account.consents.record(change, changed=changed)
    return _accepted(call, body["type"], total=len(emails) + len(members), skipped=found.count(None))


def _named(
    call: Call, attributes: SuppressionAttributes, relationships: ListRelationship
) -> tuple[list[str], list[Profile]]:
    profiles, entry = attributes.get("profiles"), list_named(call, relationships)
    if (profiles is None) == (entry is None):
        raise wrong("/data/attributes/profiles", "Either profiles or a list is required, not both.")
    known = call.account.people.profiles
    emails = [profile["attributes"]["email"] for profile in profiles["data"]] if profiles else []
    members = [known[member] for member in entry.members if member in known] if entry else []
    call.items = len(emails)
    call.account.consents.requests += 1
    return emails, members


def _accepted(call: Call, kind: str, *, total: int, skipped: int) -> Answer:
    job = call.account.open_job(kind, total, call.now)
    resource: Resource = {
        "type": kind,
        "id": job.id,
        "attributes": {
            "status": "queued",
            "created_at": iso(job.created),
            "total_count": total,
            "completed_count": 0,
            "skipped_count": skipped,
            "completed_at": None,
        },
        "links": self_link(call, f"/api/{kind}s/{job.id}"),
    }
    return document(202, {"data": resource})
