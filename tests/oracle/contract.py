"""Is this request one that Klaviyo describes? Its own SDK's models say so, and its OpenAPI file where that is at hand.

Both are read closed: a key that Klaviyo does not know is dropped by Klaviyo without a word, so here it is a fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import orjson
from pydantic import BaseModel, ValidationError

OPENAPI = Path(__file__).resolve().parents[3] / "shared" / "klaviyo-openapi-2026-07-15.json"
# Request to the SDK's model of its body; the OpenAPI file names its schemas alike.
MODELS = {
    "POST /api/events": "EventCreateQueryV2",
    "POST /api/event-bulk-create-jobs": "EventsBulkCreateJob",
    "POST /api/profile-import": "ProfileUpsertQuery",
    "POST /api/profile-bulk-import-jobs": "ProfileImportJobCreateQuery",
    "POST /api/profile-subscription-bulk-create-jobs": "SubscriptionCreateJobCreateQuery",
    "POST /api/profile-subscription-bulk-delete-jobs": "SubscriptionDeleteJobCreateQuery",
    "POST /api/lists/*/relationships/profiles": "ListMembersAddQuery",
    "DELETE /api/lists/*/relationships/profiles": "ListMembersDeleteQuery",
    "POST /api/data-privacy-deletion-jobs": "DataPrivacyCreateDeletionJobQuery",
}


class Broken(AssertionError):
    """Klaviyo does not describe this request."""


@dataclass
class Tally:
    """What the oracle saw in this session."""

    checked: int = 0
    broken: list[str] = field(default_factory=list)


TALLY = Tally()


def check(path: str, method: str, body: bytes) -> None:
    """Raises ``Broken`` with every fault found, and counts."""
    TALLY.checked += 1
    model = MODELS.get(f"{method} {re.sub(r'(?<=/api/lists/)[^/]+', '*', path)}")
    if model is None:
        raise Broken(f"{method} {path}: the oracle knows no such request with a body")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Broken(f"{method} {path}: not JSON: {error}") from error
    faults = [*sdk_faults(model, value), *(spec_faults(model, value) if OPENAPI.exists() else ())]
    if faults:
        raise Broken(f"{method} {path}: " + "; ".join(faults))


def note(path: str, method: str, body: bytes) -> None:
    """As ``check``, from inside the gateway's own doing, where raising would only be one more failed send to retry:
    what is noted here fails the test that is running (tests/conftest.py).
    """
    try:
        check(path, method, body)
    except Broken as broken:
        TALLY.broken.append(str(broken))


def sdk_faults(model: str, value: object) -> Iterator[str]:
    """What the SDK's model finds, by the newest revision; hyphens may not be written as underscores."""
    try:
        _sdk(model).model_validate(value, extra="forbid", by_alias=True, by_name=False)
    except ValidationError as error:
        yield from (f"SDK: {'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))


def spec_faults(model: str, value: object) -> Iterator[str]:
    """What the OpenAPI file finds; one revision older, but it knows how a time is written."""
    for error in _spec(model).iter_errors(value):
        yield f"OpenAPI: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


@cache
def _sdk(model: str) -> type[BaseModel]:
    found: type[BaseModel] = getattr(import_module("openapi_client.models"), model)
    return found


@cache
def _spec(model: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{model}", "components": {"schemas": _closed_schemas()}}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


@cache
def _closed_schemas() -> Any:
    return _closed(json.loads(OPENAPI.read_bytes())["components"]["schemas"], schema=False)


def _closed(node: Any, *, schema: bool = True) -> Any:
    """The schema as JSON Schema has it (``nullable`` is OpenAPI's own word), closed where it lists properties."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value, schema=not (schema and key == "properties")) for key, value in node.items()}
    if not schema:
        return closed  # names of properties or schemas, not words of a schema
    if isinstance(node.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    if node.get("nullable") and isinstance(node.get("type"), str):
        closed["type"] = [node["type"], "null"]
        if "enum" in node:
            closed["enum"] = [*node["enum"], None]
    closed.pop("example", None)
    return closed
