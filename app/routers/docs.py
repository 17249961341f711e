"""The docs page: the API's description as one HTML page that needs nothing from any other host, no script at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from textwrap import dedent
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from app.mappers.registry import PLATFORMS
from app.mappers.source import Source
from app.routers.openapi import document
from app.routers.problems import MEDIA_TYPE

ROUTER = APIRouter(include_in_schema=False)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
details{border:1px solid #8886;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}details details{border-style:dashed}
summary{cursor:pointer}code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:.6rem}
b.get{color:#0a7d4f}b.post{color:#1f6feb}b.put,b.patch{color:#b26a00}b.delete{color:#c93c37}
table{border-collapse:collapse}th{text-align:left}
td,th{border-top:1px solid #8884;padding:.2rem .8rem .2rem 0;vertical-align:top}
h2{margin-top:2rem}small{opacity:.75}
"""

Json = Mapping[str, Any]


@ROUTER.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """For machines."""
    return JSONResponse(document(request.app))


@ROUTER.get("/")
async def front() -> RedirectResponse:
    """Whoever opens the gateway in a browser wants to read."""
    return RedirectResponse("/docs")


@ROUTER.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """For people."""
    headers = {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}
    return HTMLResponse("".join(_page(document(request.app))), headers=headers)


def _page(described: Json) -> Iterator[str]:
    info = described["info"]
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>"
    yield f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>"
    yield f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{_text(info['description'])}"
    key = described["components"]["securitySchemes"]["OperatorKey"]["description"]
    yield f"<p>{_text(key)}<p>For machines: <a href='openapi.json'>openapi.json</a>"
    for tag, routes in _by_tag(described).items():
        yield f"<h2>{escape(tag)}</h2>"
        for path, method, route in routes:
            yield from _route(described, path, method, route)
    for source in PLATFORMS:
        yield from _fields(described, source, "settings", source.settings.__name__)
        yield from _fields(described, source, "secrets", source.secrets.__name__)
    yield "<h2>Refusals</h2>"
    for refusal in described["components"]["responses"].values():
        status = str(refusal["content"][MEDIA_TYPE]["example"]["status"])
        yield f"<a id='{status}'></a>"
        yield from _response(described, status, refusal)


def _by_tag(described: Json) -> dict[str, list[tuple[str, str, Json]]]:
    tags: dict[str, list[tuple[str, str, Json]]] = {}
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            tags.setdefault(route["tags"][0], []).append((path, method, route))
    return tags


def _fields(described: Json, source: Source[Any], kind: str, name: str) -> Iterator[str]:
    schema = described["components"]["schemas"][name]
    yield f"<h2 id='{source.name}-{kind}'>{escape(source.title)}: {kind} of a connection</h2>"
    yield f"<table><tr><th>{kind.title()}<th>Type<th>Default<th>What it is"
    for field, part in schema["properties"].items():
        default = "needed" if field in schema.get("required", ()) else f"<code>{_json(part.get('default'))}</code>"
        said = _text(part.get("description", ""))
        yield f"<tr><td><code>{escape(field)}</code><td>{escape(type_of(described, part))}<td>{default}<td>{said}"
    yield "</table>"


def type_of(described: Json, schema: Json) -> str:
    """What a value may be, in a few words."""
    schema = _resolved(described, schema)
    if "anyOf" in schema:
        return " or ".join(type_of(described, part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {type_of(described, schema['items'])}"
    if "properties" in schema:
        parts = (f"{name}: {type_of(described, part)}" for name, part in schema["properties"].items())
        return f"object ({', '.join(parts)})"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_of(described, schema['additionalProperties'])}"
    return str(schema["format"] if schema.get("format") in ("date", "date-time") else schema["type"])


def _route(described: Json, path: str, method: str, route: Json) -> Iterator[str]:
    role = "".join(role for scheme in route.get("security", ()) for role in scheme["OperatorKey"])
    needs = f" <small>{escape(role)}</small>" if role else ""
    yield f"<details id='{escape(route['operationId'])}'><summary><b class={method}>{method.upper()}</b> "
    yield f"<code>{escape(path)}</code> {escape(route['summary'])}{needs}</summary>"
    yield from _prose(route.get("description", ""))
    if parameters := route.get("parameters"):
        rows = (f"<tr><td><code>{escape(p['name'])}</code><td>{_text(p.get('description', ''))}" for p in parameters)
        yield f"<table>{''.join(rows)}</table>"
    for kind, content in route.get("requestBody", {}).get("content", {}).items():
        yield f"<h4>Request <small>{escape(kind)}</small></h4>"
        yield from _examples(described, content)
    yield "<h4>Responses</h4>"
    refusals = []
    for status, response in sorted(route["responses"].items()):
        if "$ref" in response:
            refusals.append(f"<a href='#{status}'>{status}</a>")
        else:
            yield from _response(described, status, response)
    yield f"<p>Refusals: {', '.join(refusals) or 'none'}</details>"


def _response(described: Json, status: str, response: Json) -> Iterator[str]:
    yield f"<p><code>{status}</code> {_text(response['description'])}"
    for content in response.get("content", {}).values():
        yield from _examples(described, content)


def _examples(described: Json, content: Json) -> Iterator[str]:
    """What stands in the description; without one, an example put together from those of the fields."""
    named = content.get("examples")
    if named:
        for title, example in named.items():
            yield f"<details><summary>{escape(title)}</summary>{_pre(example['value'])}</details>"
    elif "example" in content:
        yield _pre(content["example"])
    elif content.get("schema"):
        yield _pre(example_of(described, content["schema"]))


def example_of(described: Json, schema: Json) -> Any:
    """An example of what a schema describes: its own, its default, or one made of its parts'."""
    for given in ("examples", "enum", "anyOf"):
        if schema.get(given):
            first = schema[given][0]
            return example_of(described, first) if given == "anyOf" else first
    for single in ("const", "default"):
        if single in schema:
            return schema[single]
    if "$ref" in schema:
        return example_of(described, _resolved(described, schema))
    if schema.get("type") == "array":
        return [example_of(described, schema["items"])]
    if "properties" in schema:
        return {name: example_of(described, part) for name, part in schema["properties"].items()}
    return {"boolean": True, "string": "", "object": {}}.get(schema.get("type", ""))


def _resolved(described: Json, value: Json) -> Json:
    found: Json = value
    if "$ref" in value:
        found = described
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return found


def _pre(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>" if text else ""


def _json(value: object) -> str:
    return escape(json.dumps(value, ensure_ascii=False))


def _prose(text: str) -> Iterator[str]:
    """Paragraphs; an indented one is code, as in Markdown."""
    for paragraph in text.split("\n\n"):
        yield _pre(dedent(paragraph)) if paragraph.startswith("    ") else f"<p>{_text(paragraph)}"


def _text(text: str) -> str:
    """Text with its `code`."""
    parts = escape(text.replace("``", "`")).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
