"""What the API's description promises of an answer, checked on every answer that a test gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from app.routers import ROUTERS, describe
from app.routers.openapi import document
from app.settings import Settings

PROBLEM = "application/problem+json"
# The router itself says these, on paths that the description cannot list.
UNDECLARED = {404, 405}


@cache
def description() -> Mapping[str, Any]:
    """The OpenAPI document; it is the same for every gateway without a public URL."""
    api = FastAPI(**describe(Settings()))
    for router in ROUTERS:
        api.include_router(router)
    return document(api)


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def resolved(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for."""
    found: Any = value
    if "$ref" in value:
        found = description()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return cast("Mapping[str, Any]", found)


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator that finds the document's components."""
    whole = {**schema, "components": description()["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _answer_validator(method: str, path: str, status: int, kind: str) -> Draft202012Validator:
    response = resolved(description()["paths"][path][method.lower()]["responses"][str(status)])
    return validator(response["content"][kind].get("schema", {}))


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Fixed paths first, as the application itself prefers ``/replay`` to an id."""
    found = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in description()["paths"]]
    return sorted(found, key=lambda pair: pair[1].count("{"))


def keeps_its_promise(answer: httpx.Response) -> None:
    """The status is declared, the content type too, and the body fits its schema; a refusal is problem+json."""
    method, status = answer.request.method, answer.status_code
    path = next((path for pattern, path in _paths() if pattern.match(answer.request.url.path)), None)
    assert status < 500, answer.text
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if status >= 400:
        assert kind == PROBLEM, (method, path, status, kind)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["status"] == status
    if path is None or method.lower() not in description()["paths"][path]:
        return
    declared = description()["paths"][path][method.lower()]["responses"]
    if str(status) not in declared and status in UNDECLARED:
        return
    assert str(status) in declared, f"{method} {path} answered {status}: {answer.text}"
    if answer.content:
        _answer_validator(method, path, status, kind).validate(answer.json())
    else:
        assert "content" not in resolved(declared[str(status)]), (method, path, status)
