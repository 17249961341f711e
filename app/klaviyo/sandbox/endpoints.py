"""The table of Klaviyo's endpoints that a gateway uses: path, scopes, limits, size and what answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.klaviyo.sandbox import consents, events, lists, metrics, profiles, suppressions
from app.klaviyo.sandbox.accounts import Scope
from app.klaviyo.sandbox.answers import Answer
from app.klaviyo.sandbox.call import Call
from app.klaviyo.sandbox.fields import PROFILE_BYTES, REQUEST_BYTES
from app.klaviyo.sandbox.limits import Limit

XS, S, M, L, XL = Limit(1, 15), Limit(3, 60), Limit(10, 150), Limit(75, 750), Limit(350, 3500)
NEW_LISTS = Limit(10, 150, 150)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; `{id}` in the path stands for one segment. `parameters` are the query's known names."""

    method: str
    path: str
    limit: Limit
    scopes: tuple[Scope, ...]
    respond: Callable[[Call], Answer]
    parameters: tuple[str, ...] = ()
    max_bytes: int = REQUEST_BYTES


_PAGE = ("filter", "page[size]", "page[cursor]")
_WITH_SUBSCRIPTIONS = ("additional-fields[profile]",)
_SUBSCRIBING: tuple[Scope, ...] = ("lists:write", "profiles:write", "subscriptions:write")
_IMPORTING: tuple[Scope, ...] = ("lists:write", "profiles:write")
_SUPPRESSING: tuple[Scope, ...] = ("profiles:write", "subscriptions:write")
_UPSERTING: tuple[Scope, ...] = ("profiles:write",)
_IMPORTS, _MEMBERS = "/api/profile-bulk-import-jobs", "/api/lists/{id}/relationships/profiles"
_SUPPRESS, _UNSUPPRESS = "/api/profile-suppression-bulk-create-jobs", "/api/profile-suppression-bulk-delete-jobs"

ENDPOINTS = (
    Endpoint("POST", "/api/events", XL, ("events:write",), events.create_event),
    Endpoint("POST", "/api/event-bulk-create-jobs", M, ("events:write",), events.create_events),
    Endpoint("GET", "/api/events", XL, ("events:read",), events.get_events, (*_PAGE, "sort", "include")),
    Endpoint("POST", "/api/profile-import", L, _UPSERTING, profiles.import_profile, _WITH_SUBSCRIPTIONS, PROFILE_BYTES),
    Endpoint("POST", _IMPORTS, M, _IMPORTING, profiles.import_profiles),
    Endpoint("GET", f"{_IMPORTS}/{{id}}", M, ("lists:read", "profiles:read"), profiles.get_import_job),
    Endpoint("GET", f"{_IMPORTS}/{{id}}/import-errors", M, ("profiles:read",), profiles.get_import_errors, _PAGE[1:]),
    Endpoint("GET", "/api/profiles", L, ("profiles:read",), profiles.get_profiles, (*_PAGE, *_WITH_SUBSCRIPTIONS)),
    Endpoint("GET", "/api/profiles/{id}", L, ("profiles:read",), profiles.get_profile, _WITH_SUBSCRIPTIONS),
    Endpoint("POST", "/api/data-privacy-deletion-jobs", S, ("data-privacy:write",), profiles.erase_profile),
    Endpoint("POST", "/api/profile-subscription-bulk-create-jobs", L, _SUBSCRIBING, consents.subscribe),
    Endpoint("POST", "/api/profile-subscription-bulk-delete-jobs", L, _SUBSCRIBING, consents.unsubscribe),
    Endpoint("POST", _SUPPRESS, L, _SUPPRESSING, suppressions.suppress),
    Endpoint("POST", _UNSUPPRESS, L, ("subscriptions:write",), suppressions.unsuppress),
    Endpoint("GET", "/api/lists", L, ("lists:read",), lists.get_lists, _PAGE),
    Endpoint("POST", "/api/lists", NEW_LISTS, ("lists:write",), lists.create_list),
    Endpoint("GET", "/api/lists/{id}", L, ("lists:read",), lists.get_list, ("additional-fields[list]",)),
    Endpoint("POST", _MEMBERS, M, _IMPORTING, lists.add_members),
    Endpoint("DELETE", _MEMBERS, M, _IMPORTING, lists.remove_members),
    Endpoint("GET", "/api/metrics", M, ("metrics:read",), metrics.get_metrics, ("filter", "page[cursor]")),
    Endpoint("GET", "/api/accounts", XS, ("accounts:read",), metrics.get_accounts),
)


def endpoints_at(path: str) -> tuple[dict[str, Endpoint], str]:
    """Find the methods that a path answers and the id it names; no method when there is no such path."""
    segments = path.split("/")
    for endpoint in ENDPOINTS:
        pattern = endpoint.path.split("/")
        if len(pattern) == len(segments) and all(
            known in ("{id}", given) for known, given in zip(pattern, segments, strict=True)
        ):
            resource = segments[pattern.index("{id}")] if "{id}" in pattern else ""
            return {other.method: other for other in ENDPOINTS if other.path == endpoint.path}, resource
    return {}, ""
