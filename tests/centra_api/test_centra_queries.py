"""The query file is GraphQL, with all of its optional lines and without any of them."""

from __future__ import annotations

import pytest
from graphql import build_schema, parse, validate
from graphql.validation import KnownFragmentNamesRule, NoUnusedFragmentsRule

from app.mappers.centra.queries import OPTIONAL, document, optional_lines

OPERATIONS: dict[str, dict[str, object]] = {
    "RateLimits": {},
    "Order": {"number": 7},
    "Shipment": {"id": 7},
    "Return": {"id": 7},
    "Customer": {"id": 7},
    "DisplayItems": {"ids": [7, 8], "size": "standard"},
    "Check": {"size": "standard"},
}


def line_of(words: str) -> int:
    return next(number for number, line in OPTIONAL.items() if line == words)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("optional", [True, False])
def test_every_document_is_complete_graphql(operation: str, optional: bool) -> None:
    text = document(operation, without=() if optional else OPTIONAL, **OPERATIONS[operation])
    parsed = parse(text)
    names = [definition.to_dict()["name"]["value"] for definition in parsed.definitions]
    assert names[0] == operation
    assert len(set(names)) == len(names)
    schema = build_schema("type Query { a: Int }")
    assert validate(schema, parsed, [NoUnusedFragmentsRule, KnownFragmentNamesRule]) == []
    assert "$" not in text
    assert "#" not in text


@pytest.mark.parametrize("number", OPTIONAL)
def test_a_marked_line_is_complete_in_itself(number: int) -> None:
    line = OPTIONAL[number]
    parse("{" + line + "}")
    for operation, values in OPERATIONS.items():
        parse(document(operation, without=[number], **values))


def test_line_numbers_are_those_of_the_file() -> None:
    lines = document("Order", number=7).splitlines()
    assert lines[line_of("language { code name }") - 1] == "  language { code name }"
    without = document("Order", number=7, without=[line_of("language { code name }")]).splitlines()
    assert without[line_of("language { code name }") - 1] == ""
    assert len(lines) == len(without)


def test_values_are_literals() -> None:
    assert "orders(where: { number: 50211 }, limit: 1)" in document("Order", number=50211)
    text = document("DisplayItems", ids=[7, 8], size='a"b\\c\u2028{')
    assert "id: [7,8]" in text
    assert 'sizeName: "a\\"b\\\\c\u2028{"' in text
    parse(text)


def test_which_line_an_error_blames() -> None:
    language, currency = (
        line_of("language { code name }"),
        line_of("baseCurrency: currencies(where: { isBase: true }) { code }"),
    )
    assert optional_lines("whatever", [language]) == {language}
    assert optional_lines("whatever", [language, currency]) == {language, currency}
    assert optional_lines("whatever", [language, 1]) == frozenset()
    assert optional_lines('Cannot query field "currencies" on type "Query".', []) >= {currency}
    assert optional_lines('Cannot query field "grandTotal" on type "Order".', []) == frozenset()
    assert optional_lines("Internal server error", []) == frozenset()
