"""What Klaviyo checks before a body is read: route, key, revision, scope, pace, content type, size, parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from app.klaviyo.sandbox.accounts import Account, Key
from app.klaviyo.sandbox.answers import JSON_API, Answer, RefusalError, denied, wrong_parameter
from app.klaviyo.sandbox.call import Call
from app.klaviyo.sandbox.endpoints import Endpoint, endpoints_at
from app.klaviyo.sandbox.world import World

# One revision per quarter, stable for a year and deprecated for another before it is retired; as of November 2026.
LIVING_REVISIONS = frozenset(f"{year}-{day}" for year in (2025, 2026) for day in ("01-15", "04-15", "07-15", "10-15"))
RETIRED_REVISIONS = frozenset(
    (
        *("2022-10-17", "2023-01-24", "2023-02-22", "2023-06-15", "2023-07-15", "2023-08-15", "2023-09-15"),
        *("2023-10-15", "2023-12-15", "2024-02-15", "2024-05-15", "2024-06-15", "2024-07-15", "2024-10-15"),
    )
)
_BODY_TYPES = (JSON_API, "application/json")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came: header names in lower case, `body` None when it is longer than Klaviyo takes at all."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes | None


def key_of(world: World, headers: dict[str, str]) -> Key | None:
    """Find the key that a request carries, revoked or not."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return world.keys.get(key.strip()) if scheme == "Klaviyo-API-Key" else None


def answer(world: World, incoming: Incoming, now: float) -> tuple[Answer, int]:
    """Answer by Klaviyo's rules; tells how many items the body held. Never raises for anything a client sends."""
    paced: dict[str, str] = {}
    call: Call | None = None
    try:
        endpoint, resource = _route(incoming)
        key = _authenticated(world, incoming.headers)
        account = world.accounts[key.account]
        paced["CID"] = account.id
        _check_revision(incoming.headers)
        _check_scopes(key, endpoint)
        paced |= _pace(world, account, endpoint, now)
        call = Call(
            account=account,
            now=now,
            body=_body(incoming, endpoint),
            path=incoming.path,
            origin=f"http://{incoming.headers.get('host', 'localhost')}",
            query=_parameters(incoming, endpoint),
            resource=resource,
        )
        given = endpoint.respond(call)
    except RefusalError as refusal:
        given = refusal.answer
    return replace(given, headers={**given.headers, **paced}), call.items if call else 0


def _route(incoming: Incoming) -> tuple[Endpoint, str]:
    methods, resource = endpoints_at(incoming.path)
    if not methods:
        raise denied(404, "not_found", "Not found.", "The path does not exist.")
    if incoming.method not in methods:
        detail = f'Method "{incoming.method}" not allowed.'
        raise denied(405, "method_not_allowed", "Method not allowed.", detail, Allow=", ".join(sorted(methods)))
    return methods[incoming.method], resource


def _authenticated(world: World, headers: dict[str, str]) -> Key:
    key = key_of(world, headers)
    if key is not None and not key.revoked:
        return key
    detail = "Missing or invalid private key."
    if "authorization" not in headers:
        raise denied(401, "not_authenticated", "Authentication credentials were not provided.", detail)
    raise denied(401, "authentication_failed", "Incorrect authentication credentials.", detail)


def _check_revision(headers: dict[str, str]) -> None:
    revision = headers.get("revision", "")
    if revision in RETIRED_REVISIONS and headers.get("x-klaviyo-revision-fall-forward-opt-out") == "1":
        raise denied(410, "gone", "Retired revision.", f"The revision {revision} is retired.")
    if revision not in LIVING_REVISIONS | RETIRED_REVISIONS:
        detail = f"'{revision}' is not a known revision." if revision else "The revision header is required."
        raise wrong_parameter("revision", detail)


def _check_scopes(key: Key, endpoint: Endpoint) -> None:
    missing = [scope for scope in endpoint.scopes if key.scopes is not None and scope not in key.scopes]
    if missing:
        detail = f"The API key is missing the scopes: {', '.join(missing)}."
        raise denied(403, "permission_denied", "You do not have permission to perform this action.", detail)


def _pace(world: World, account: Account, endpoint: Endpoint, now: float) -> dict[str, str]:
    verdict = world.windows.take(account.id, f"{endpoint.method} {endpoint.path}", endpoint.limit, now)
    if verdict.retry_after:
        wait = f"{verdict.retry_after} second{'s' if verdict.retry_after > 1 else ''}"
        detail = f"Request was throttled. Expected available in {wait}."
        headers = {"Retry-After": str(verdict.retry_after)}
        raise denied(429, "throttled", "Request was throttled.", detail, **headers)
    return {
        "RateLimit-Limit": str(verdict.limit),
        "RateLimit-Remaining": str(verdict.remaining),
        "RateLimit-Reset": str(verdict.reset),
    }


def _body(incoming: Incoming, endpoint: Endpoint) -> bytes:
    if incoming.method == "GET":
        return b""
    kind = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = incoming.headers.get("content-encoding", "identity")
    if kind not in _BODY_TYPES or coding != "identity":
        detail = f"Unsupported media type '{kind}' or content encoding '{coding}'."
        raise denied(415, "unsupported_media_type", "Unsupported media type.", detail)
    if incoming.body is None or len(incoming.body) > endpoint.max_bytes:
        detail = f"The body is larger than {endpoint.max_bytes} bytes."
        raise denied(413, "payload_too_large", "Payload too large.", detail)
    return incoming.body


def _parameters(incoming: Incoming, endpoint: Endpoint) -> dict[str, str]:
    query = dict(parse_qsl(incoming.query, keep_blank_values=True))
    for name in query:
        if name not in endpoint.parameters and not name.startswith("fields["):
            raise wrong_parameter(name, f"'{name}' is not a valid query parameter.")
    return query
