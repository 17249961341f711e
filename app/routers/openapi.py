"""The description of the API as OpenAPI: FastAPI's, with the refusals and the platforms' settings written down once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import FastAPI

from app.errors import Busy, Fault, Invalid, Refused
from app.mappers.registry import PLATFORMS
from app.routers.problems import MEDIA_TYPE, REFUSALS, problem

SCHEMAS = "#/components/schemas/"
PROBLEM = {
    "title": "Problem",
    "description": "Why not (RFC 9457). It never repeats what was sent.",
    "type": "object",
    "required": ["type", "title", "status"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "description": "What kind of problem, as a URN."},
        "title": {"type": "string", "description": "The same, for people."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What it is this time."},
        "errors": {
            "type": "array",
            "description": "Every field that is wrong, up to 100.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "additionalProperties": False,
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body: a JSON pointer (RFC 6901)."},
                    "parameter": {"type": "string", "description": "Or which parameter of the path or the query."},
                    "detail": {"type": "string", "description": "What is wrong with it."},
                },
            },
        },
    },
}
DETAILS = {
    400: "not JSON: line 1, column 9",
    403: "this takes a key with the role admin",
    404: "there is no such connection",
    409: "there is a connection with this id already",
    413: "more than 262144 bytes",
    415: "send JSON, as Content-Type: application/json",
    503: "the store cannot answer now",
}


@lru_cache(1)
def document(app: FastAPI) -> Mapping[str, Any]:
    """The whole description, made once."""
    described = app.openapi()
    components = described["components"]
    components["responses"] = {error.__name__: _response(status, error) for status, error in REFUSALS.items()}
    schemas = components["schemas"]
    schemas["Problem"] = PROBLEM
    for source in PLATFORMS:
        for model in (source.settings, source.secrets):
            schemas[model.__name__] = _hoisted(model.model_json_schema(), schemas)
    for methods in described["paths"].values():
        for route in methods.values():
            _tell_what_comes_back(route["responses"], schemas)
            for content in route.get("requestBody", {}).get("content", {}).values():
                _hoisted(content.get("schema", {}), schemas)
    text = json.dumps(described).replace('"#/$defs/', f'"{SCHEMAS}')
    found: Mapping[str, Any] = json.loads(text)
    return found


def _response(status: int, error: type[Refused | Busy]) -> dict[str, Any]:
    shown = Invalid([Fault("/settings/base_currency", "not an ISO 4217 currency such as SEK")])
    example = problem(shown if error is Invalid else error(DETAILS.get(status, "")))
    content = {"schema": {"$ref": SCHEMAS + "Problem"}, "example": json.loads(example)}
    return {"description": (error.__doc__ or "").split("\n")[0], "content": {MEDIA_TYPE: content}}


def _tell_what_comes_back(responses: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    """In place of FastAPI's "Successful Response": what the answer is."""
    for response in responses.values():
        if response.get("description") == "Successful Response":
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            model = schemas.get(schema.get("$ref", "").removeprefix(SCHEMAS), {})
            response["description"] = model.get("description", "One page." if model else "Done.")


def _hoisted(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema without the ``$defs`` it brings along: in one document all of them live in one place."""
    schemas.update(schema.pop("$defs", {}))
    return schema
