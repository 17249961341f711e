"""Who may import whom (DESIGN 4), read from the source; a rule that no check enforces is not a rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parent.parent / "app"
# Each row: these modules never import those.
RULES = (
    ("app.klaviyo", ("app.mappers", "app.store", "app.routers", "app.intake", "app.translate", "app.deliver")),
    ("app.store", ("app.mappers", "app.routers", "app.connections", "app.klaviyo.client", "httpx")),
    ("app.mappers", ("app.store", "app.routers", "app.settings", "app.klaviyo.client", "sqlalchemy", "httpx")),
    ("app.routers", ("sqlalchemy.text", "httpx")),
    ("app.klaviyo.sandbox", ("app.klaviyo.client", "app.klaviyo.batches", "app.klaviyo.commands", "app.errors")),
    ("app", ("tests", "requests", "aiosqlite")),
)
ONLY_HERE = {"httpx": "app.http", "aiohttp": "app.http"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(APP.rglob("*.py")):
        name = ".".join(path.relative_to(APP.parent).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize(("package", "forbidden"), RULES, ids=[rule[0] for rule in RULES])
def test_a_layer_imports_only_what_it_may(package: str, forbidden: tuple[str, ...]) -> None:
    found = [
        f"{name} imports {imported}"
        for name, tree in modules()
        if inside(name, package)
        for imported in imports(tree)
        if any(inside(imported, other) for other in forbidden)
    ]
    assert not found


@pytest.mark.parametrize("library", ONLY_HERE)
def test_the_way_out_is_one_module(library: str) -> None:
    users = {name for name, tree in modules() if any(inside(imported, library) for imported in imports(tree))}
    assert users == {ONLY_HERE[library]}


def test_sql_lives_in_the_store() -> None:
    """Elsewhere only names for annotations and for what a database raises."""
    harmless = {"sqlalchemy", "sqlalchemy.Connection", "sqlalchemy.Row", "sqlalchemy.exc", "sqlalchemy.exc.DBAPIError"}
    found = {
        f"{name} imports {imported}"
        for name, tree in modules()
        if not inside(name, "app.store")
        for imported in imports(tree)
        if inside(imported, "sqlalchemy") and imported not in harmless
    }
    assert not found


def test_words_that_say_nothing_are_no_names() -> None:
    empty = {"service", "manager", "helper", "helpers", "util", "utils", "handler", "processor", "info", "common"}
    named = {
        f"{name}: {word}"
        for name, tree in modules()
        for word in [
            *name.split("."),
            *(n.name for n in ast.walk(tree) if isinstance(n, (ast.ClassDef, ast.FunctionDef))),
        ]
        if word != "get_route_handler" and set(word.lower().split("_")) & empty  # FastAPI's own name
    }
    assert not named
