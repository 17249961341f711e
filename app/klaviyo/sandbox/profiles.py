"""Profiles: upserted one at a time, imported in bulk, erased, and read back."""

from __future__ import annotations

from pydantic import TypeAdapter

from app.klaviyo.sandbox.accounts import Job
from app.klaviyo.sandbox.answers import Answer, conflict, document, not_found, problem, refused, wrong
from app.klaviyo.sandbox.bodies import ErasureBody, ImportBody, ProfileBody
from app.klaviyo.sandbox.call import Call, iso
from app.klaviyo.sandbox.lists import join
from app.klaviyo.sandbox.parse import read_body
from app.klaviyo.sandbox.people import DuplicateProfileError, Profile
from app.klaviyo.sandbox.reads import EQUALITY, Resource, conditions, listing, self_link, sparse
from app.klaviyo.sandbox.subscriptions import subscriptions_of

_PROFILE = TypeAdapter(ProfileBody)
_IMPORT = TypeAdapter(ImportBody)
_ERASURE = TypeAdapter(ErasureBody)

_FILTERS = dict.fromkeys(("id", "email", "phone_number", "external_id"), EQUALITY)
_JOB_DAYS = 7


def import_profile(call: Call) -> Answer:
    """POST /api/profile-import: 201 created or 200 updated, with the profile; 409 when the identifiers disagree."""
    person = read_body(_PROFILE, call.body, call.now)["data"]
    call.items = 1
    profile_id = person.get("id")
    if profile_id is not None and call.account.people.find("id", profile_id) is None:
        raise not_found("/data/id", f"A profile with id {profile_id} does not exist.")
    try:
        profile, created = call.account.people.upsert(person, call.now, nulls_clear=True)
    except DuplicateProfileError as error:
        raise conflict(error.profile_id) from None
    call.account.profile_requests += 1
    return document(201 if created else 200, {"data": sparse(call, profile_resource(call, profile))})


def import_profiles(call: Call) -> Answer:
    """POST /api/profile-bulk-import-jobs: 202 with a job; what fails for one profile is found in its import errors."""
    body = read_body(_IMPORT, call.body, call.now)["data"]
    people = body["attributes"]["profiles"]["data"]
    references = body.get("relationships", {}).get("lists", {"data": []})["data"]
    lists = [
        call.account.list_of(reference["id"], f"/data/relationships/lists/data/{i}/id")
        for i, reference in enumerate(references)
    ]
    problems = [
        problem(f"/data/attributes/profiles/data/{i}/id", "A profile with this id does not exist.")
        for i, person in enumerate(people)
        if (profile_id := person.get("id")) is not None and call.account.people.find("id", profile_id) is None
    ]
    if problems:
        raise refused(*problems)
    call.items = len(people)
    call.account.profile_requests += 1
    job = call.account.open_job("profile-bulk-import-job", len(people), call.now, [entry.id for entry in lists])
    queued = document(202, {"data": _job_resource(call, job, "queued")})
    for i, person in enumerate(people):
        try:
            profile, _ = call.account.people.upsert(person, call.now, nulls_clear=False)
        except DuplicateProfileError as error:
            _fail(job, i, dict(person), error.profile_id)
            continue
        job.completed += 1
        for entry in lists:
            join(call, entry, profile, "import")
    return queued


def _fail(job: Job, index: int, payload: Resource, duplicate: str) -> None:
    attributes = {
        "code": "duplicate_profile",
        "title": "Conflict.",
        "detail": f"A profile already exists with one of these identifiers: {duplicate}.",
        "source": {"pointer": f"/data/attributes/profiles/data/{index}/attributes"},
        "original_payload": payload,
    }
    job.failures.append({"type": "import-error", "id": f"{job.id}-{index}", "attributes": attributes})


def get_import_job(call: Call) -> Answer:
    """GET /api/profile-bulk-import-jobs/{id}: the job, which the sandbox has completed by now."""
    return document(200, {"data": sparse(call, _job_resource(call, _job(call), "complete"))})


def get_import_errors(call: Call) -> Answer:
    """GET /api/profile-bulk-import-jobs/{id}/import-errors: 20 a page, 100 at most."""
    return listing(call, _job(call).failures, lambda failure: failure, default=20, maximum=100)


def _job(call: Call) -> Job:
    job = call.account.jobs.get(call.resource)
    if job is None or job.kind != "profile-bulk-import-job" or call.now - job.created > _JOB_DAYS * 86_400:
        raise not_found("/data/", f"A job with id {call.resource} does not exist.")
    return job


def _job_resource(call: Call, job: Job, status: str) -> Resource:
    done = status == "complete"
    return {
        "type": job.kind,
        "id": job.id,
        "attributes": {
            "status": status,
            "created_at": iso(job.created),
            "total_count": job.total,
            "completed_count": job.completed,
            "failed_count": len(job.failures),
            "started_at": iso(job.created) if done else None,
            "completed_at": iso(job.created) if done else None,
            "expires_at": iso(job.created + _JOB_DAYS * 86_400),
        },
        "relationships": {"lists": {"data": [{"type": "list", "id": list_id} for list_id in job.lists]}},
        "links": self_link(call, f"/api/profile-bulk-import-jobs/{job.id}"),
    }


def erase_profile(call: Call) -> Answer:
    """POST /api/data-privacy-deletion-jobs: 202 and empty; exactly one identifier, several are an error."""
    person = read_body(_ERASURE, call.body, call.now)["data"]["attributes"]["profile"]["data"]
    attributes = person["attributes"]
    given = {"id": person.get("id"), "email": attributes.get("email"), "phone_number": attributes.get("phone_number")}
    named = [(kind, value) for kind, value in given.items() if value is not None]
    if len(named) != 1:
        raise wrong("/data/attributes/profile/data", "Exactly one identifier is required.")
    call.items = 1
    call.account.profile_requests += 1
    profile = call.account.people.find(*named[0])
    if profile is not None:
        call.account.people.erase(profile)
        for entry in call.account.lists.values():
            entry.members.pop(profile.id, None)
    return Answer(202)


def get_profiles(call: Call) -> Answer:
    """GET /api/profiles: filtered by identifiers, 20 a page, 100 at most."""
    terms = conditions(call, _FILTERS)

    def passes(profile: Profile) -> bool:
        known = {"id": profile.id, **profile.identifiers}
        return all(term.holds(known.get(term.field)) for term in terms)

    people = filter(passes, call.account.people.profiles.values())
    return listing(call, people, lambda profile: profile_resource(call, profile), default=20, maximum=100)


def get_profile(call: Call) -> Answer:
    """GET /api/profiles/{id}."""
    profile = call.account.people.profiles.get(call.resource)
    if profile is None:
        raise not_found("/data/", f"A profile with id {call.resource} does not exist.")
    return document(200, {"data": sparse(call, profile_resource(call, profile))})


def profile_resource(call: Call, profile: Profile) -> Resource:
    """A profile as Klaviyo shows it; `subscriptions` only when `additional-fields[profile]` asks for them."""
    traits = ("first_name", "last_name", "organization", "locale", "title", "image")
    lines = ("address1", "address2", "city", "country", "latitude", "longitude", "region", "zip", "timezone", "ip")
    attributes: Resource = {
        **{kind: profile.identifiers.get(kind) for kind in ("email", "phone_number", "external_id")},
        **{name: profile.traits.get(name) for name in traits},
        "created": iso(profile.created),
        "updated": iso(profile.updated),
        "last_event_date": iso(profile.last_event) if profile.last_event is not None else None,
        "location": {line: profile.location.get(line) for line in lines},
        "properties": profile.properties,
    }
    if "subscriptions" in call.query.get("additional-fields[profile]", "").split(","):
        attributes["subscriptions"] = subscriptions_of(profile)
    return {
        "type": "profile",
        "id": profile.id,
        "attributes": attributes,
        "links": self_link(call, f"/api/profiles/{profile.id}"),
    }
