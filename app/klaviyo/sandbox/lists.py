"""Lists: created, found, joined and left; a list says who is on it, never who consents."""

from __future__ import annotations

from pydantic import TypeAdapter

from app.klaviyo.sandbox.accounts import MailingList
from app.klaviyo.sandbox.answers import Answer, document, problem, refused
from app.klaviyo.sandbox.bodies import ListBody, MembersBody
from app.klaviyo.sandbox.call import Call, iso
from app.klaviyo.sandbox.ledger import MembershipChange
from app.klaviyo.sandbox.parse import read_body
from app.klaviyo.sandbox.people import Profile
from app.klaviyo.sandbox.reads import EQUALITY, Resource, conditions, listing, self_link, sparse

_LIST = TypeAdapter(ListBody)
_MEMBERS = TypeAdapter(MembersBody)

_FILTERS = {"id": EQUALITY, "name": EQUALITY, "created": frozenset({"greater-than"})}


def get_lists(call: Call) -> Answer:
    """GET /api/lists: filtered by name or id, 10 a page and never more."""
    terms = conditions(call, _FILTERS)

    def passes(entry: MailingList) -> bool:
        known: Resource = {"id": entry.id, "name": entry.name, "created": entry.created}
        return all(term.holds(known[term.field]) for term in terms)

    lists = filter(passes, call.account.lists.values())
    return listing(call, lists, lambda entry: _list_resource(call, entry), default=10, maximum=10)


def get_list(call: Call) -> Answer:
    """GET /api/lists/{id}, with `profile_count` when `additional-fields[list]` asks for it."""
    entry = call.account.list_of(call.resource)
    resource = _list_resource(call, entry)
    attributes = resource["attributes"]
    if call.query.get("additional-fields[list]") == "profile_count" and isinstance(attributes, dict):
        attributes["profile_count"] = len(entry.members)
    return document(200, {"data": sparse(call, resource)})


def create_list(call: Call) -> Answer:
    """POST /api/lists: 201 with the list; names need not be unique."""
    attributes = read_body(_LIST, call.body, call.now)["data"]["attributes"]
    call.items = 1
    process = attributes.get("opt_in_process") or call.account.opt_in_process
    entry = call.account.open_list(attributes["name"], process, call.now)
    return document(201, {"data": sparse(call, _list_resource(call, entry))})


def add_members(call: Call) -> Answer:
    """POST /api/lists/{id}/relationships/profiles: 204; consent stays as it is."""
    entry, people = _members(call)
    for profile in people:
        join(call, entry, profile, "lists")
    return Answer(204)


def remove_members(call: Call) -> Answer:
    """DELETE /api/lists/{id}/relationships/profiles: 204; nobody is unsubscribed by it."""
    entry, people = _members(call)
    for profile in people:
        leave(call, entry, profile, "lists")
    return Answer(204)


def _members(call: Call) -> tuple[MailingList, list[Profile]]:
    entry = call.account.list_of(call.resource)
    named = read_body(_MEMBERS, call.body, call.now)["data"]
    known = call.account.people.profiles
    missing = [i for i, reference in enumerate(named) if reference["id"] not in known]
    if missing:
        raise refused(*(problem(f"/data/{i}/id", "A profile with this id does not exist.") for i in missing))
    call.items = len(named)
    call.account.memberships.requests += 1
    return entry, [known[reference["id"]] for reference in named]


def join(call: Call, entry: MailingList, profile: Profile, via: str) -> bool:
    """Put a person on a list; tells whether that changed anything. `via` names the endpoint for the ledger."""
    changed = profile.id not in entry.members
    entry.members.setdefault(profile.id, call.now)
    _record(call, entry, profile, "added", via, changed=changed)
    return changed


def leave(call: Call, entry: MailingList, profile: Profile, via: str) -> bool:
    """Take a person off a list; tells whether that changed anything."""
    changed = entry.members.pop(profile.id, None) is not None
    _record(call, entry, profile, "removed", via, changed=changed)
    return changed


def _record(call: Call, entry: MailingList, profile: Profile, change: str, via: str, *, changed: bool) -> None:
    call.account.memberships.record(
        MembershipChange(
            account=call.account.id,
            list=entry.id,
            profile_id=profile.id,
            email=profile.identifiers.get("email"),
            phone_number=profile.identifiers.get("phone_number"),
            change=change,
            via=via,
            received_at=call.now,
        ),
        changed=changed,
    )


def _list_resource(call: Call, entry: MailingList) -> Resource:
    return {
        "type": "list",
        "id": entry.id,
        "attributes": {
            "name": entry.name,
            "created": iso(entry.created),
            "updated": iso(entry.created),
            "opt_in_process": entry.opt_in_process,
        },
        "links": self_link(call, f"/api/lists/{entry.id}"),
    }
