"""The description of the API: complete, true to its own schemas, and readable without any other host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.mappers.centra.settings import CentraSettings
from app.mappers.registry import PLATFORMS
from app.mappers.source import Door
from app.routers.docs import example_of
from tests.api.conftest import Office, Opening
from tests.api.contract import description, operations, resolved, validator

OPERATIONS = list(operations())
IDS = [f"{method} {path}" for method, path, _ in OPERATIONS]


def nodes(value: Any, at: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of the document with its place."""
    if isinstance(value, dict):
        yield at, value
        for key, under in value.items():
            if key not in ("example", "examples"):
                yield from nodes(under, f"{at}/{key}")
    elif isinstance(value, list):
        for index, under in enumerate(value):
            yield from nodes(under, f"{at}/{index}")


async def test_the_document_is_served_as_it_is_tested_here(office: Office) -> None:
    answer = await office.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == description()
    assert answer.json()["openapi"].startswith("3.1")


async def test_the_public_url_is_the_server(open_office: Opening) -> None:
    async with open_office(public_url="https://gateway.example.com") as office:
        described = (await office.http.get("/openapi.json")).json()
    assert described["servers"] == [{"url": "https://gateway.example.com"}]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_an_operation_is_told_in_full(method: str, path: str, operation: Mapping[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert len(operation["tags"]) == 1
    declared = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path))
    assert all(parameter["description"] for parameter in operation.get("parameters", ()))
    assert bool(operation.get("security")) is path.startswith("/api/")
    if path.startswith("/api/"):
        assert {"401", "403", "422", "503"} <= set(operation["responses"])
    for status, response in operation["responses"].items():
        told = resolved(response)
        assert told["description"] not in ("", "Successful Response", "Validation Error")
        expected = {"application/problem+json"} if status >= "400" else set(told.get("content", {}))
        assert set(told.get("content", {})) == expected


def test_operation_ids_are_unique_and_references_lead_somewhere() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    references = {node["$ref"] for _, node in nodes(description()) if isinstance(node.get("$ref"), str)}
    assert references
    for reference in references:
        assert resolved({"$ref": reference}) is not None, reference


def test_every_schema_is_a_json_schema_and_every_example_fits_it() -> None:
    wrong = {}
    for at, node in nodes(description()):
        if at.endswith("/schema") or re.fullmatch(r"/components/schemas/\w+", at):
            Draft202012Validator.check_schema(node)
        if isinstance(node.get("examples"), list) and "/properties/examples" not in at:
            schema = node.get("schema", node)
            for example in node["examples"]:
                faults = [error.message for error in validator(schema).iter_errors(example)]
                if faults:
                    wrong[at] = faults
    assert wrong == {}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_what_the_docs_show_fits_the_schemas(method: str, path: str, operation: Mapping[str, Any]) -> None:
    contents = list(operation.get("requestBody", {}).get("content", {}).values())
    for response in operation["responses"].values():
        contents += resolved(response).get("content", {}).values()
    for content in contents:
        schema = content.get("schema", {})
        shown = [named["value"] for named in content.get("examples", {}).values()]
        shown += [content["example"]] if "example" in content else []
        for example in shown or [example_of(description(), schema)]:
            validator(schema).validate(example)


def test_every_door_of_every_platform_is_declared_with_its_examples() -> None:
    for source in PLATFORMS:
        for door in source.doors:
            operation = description()["paths"][door.path]["post"]
            (kind,) = operation["requestBody"]["content"]
            assert kind == door.content_type
            shown = operation["requestBody"]["content"][kind]["examples"]
            assert [named["value"] for named in shown.values()] == [example.body for example in door.examples]
            assert shown, f"{source.name}: the door {door.name} shows no example"
            assert {str(door.status), "401", "404", "413", "503"} <= set(operation["responses"])
            assert all(name in operation["description"] for name in door.secrets)


def recipes() -> Iterator[tuple[Door, str]]:
    for source in PLATFORMS:
        for door in source.doors:
            code = [line for line in door.signing.splitlines() if line.startswith("    ")]
            yield door, code[0]


@pytest.mark.parametrize(("door", "recipe"), [*recipes()], ids=lambda value: getattr(value, "name", ""))
def test_the_recipe_for_signing_signs(door: Door, recipe: str, tmp_path: Path) -> None:
    raw = 'payload={"name": "Ängel"}\n'.encode()
    for name in ("body.form", "body.json"):
        (tmp_path / name).write_bytes(raw)
    script = f"{recipe}; echo t=$t,v1=$v1"
    said = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env={**os.environ, "SECRET": "s3cret"}, capture_output=True, check=True
    )
    settings = CentraSettings(base_currency="SEK")
    secrets = dict.fromkeys(door.secrets, "s3cret")
    door.verify({b"x-centra-signature": said.stdout.strip()}, raw, secrets, settings, time.time())


async def test_the_docs_page_shows_settings_secrets_and_how_to_sign(office: Office) -> None:
    text = (await office.http.get("/docs")).text
    for source in PLATFORMS:
        for model in (source.settings, source.secrets):
            for name, field in model.model_fields.items():
                assert f"<tr><td><code>{name}</code><td>" in text
                assert escape(field.description or "").replace("`", "") in re.sub("</?code>", "", text)
    assert "<td><code>base_currency</code><td>string<td>needed<td>Currency of every" in text
    assert "openssl dgst -sha256 -hmac" in text
    assert "<pre></pre>" not in text


async def test_the_front_leads_to_the_docs(office: Office) -> None:
    answer = await office.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


class Outward(HTMLParser):
    """Everything on a page that a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str | None]] = []
        self.ids: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if tag == "a" and name == "href" and value and value.startswith("#"):
                self.anchors.add(value[1:])
            elif name in ("href", "src", "srcset", "action", "data") or name.startswith("on"):
                self.found.append((tag, name, value))
        if tag in ("script", "link", "iframe", "object", "img"):
            self.found.append((tag, "", None))


async def test_the_docs_page_needs_no_other_host(office: Office) -> None:
    answer = await office.http.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    page = Outward()
    page.feed(answer.text)
    assert page.found == [("a", "href", "openapi.json")]
    assert page.anchors <= page.ids
    assert "@import" not in answer.text
    assert "url(" not in answer.text.partition("<h1>")[0]
    for method, path, operation in OPERATIONS:
        assert operation["operationId"] in page.ids, f"{method} {path}"


async def test_the_docs_page_escapes_what_it_shows(office: Office) -> None:
    text = (await office.http.get("/docs")).text
    for source in PLATFORMS:
        for door in source.doors:
            for example in door.examples:
                value = example.body if isinstance(example.body, str) else json.dumps(example.body)
                if "<" in value:
                    assert value not in text
