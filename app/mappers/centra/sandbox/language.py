"""Reads as much GraphQL as the gateway writes: queries, fragments, aliases, arguments, and where each field stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"(?P<skip>#[^\n]*|[\s,]+)|(?P<spread>\.\.\.)|(?P<name>[_A-Za-z]\w*)|(?P<number>-?\d+(?:\.\d+)?)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<mark>[{}()\[\]:$!=])'
)


class SyntaxFault(Exception):
    """The text is not GraphQL, or more of it than we read."""


@dataclass(frozen=True)
class Token:
    """A word, number, string or mark, and where it stands (both counted from 1)."""

    kind: str
    text: str
    line: int
    column: int


@dataclass
class Selection:
    """A field, or (``on`` set, ``name`` empty) an inline fragment, or (``spread`` set) a named one."""

    line: int
    column: int
    name: str = ""
    key: str = ""
    spread: str = ""
    on: str = ""
    arguments: dict[str, object] = field(default_factory=dict)
    children: list[Selection] = field(default_factory=list)


@dataclass
class Document:
    """Named operations and fragments."""

    operations: dict[str, list[Selection]] = field(default_factory=dict)
    fragments: dict[str, Selection] = field(default_factory=dict)


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise SyntaxFault(f"Syntax Error: Unexpected character at {position}")
        if found.lastgroup and found.lastgroup != "skip":
            line = text.count("\n", 0, position) + 1
            yield Token(found.lastgroup, found[0], line, position - text.rfind("\n", 0, position))
        position = found.end()


class Reader:
    """One pass over the tokens; ``variables`` are put in while reading."""

    def __init__(self, text: str, variables: Mapping[str, object]) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._variables = variables

    def document(self) -> Document:
        made = Document()
        while self._at < len(self._tokens):
            word = self._take("name").text
            name = self._take("name").text
            if word == "query":
                made.operations[name] = self._selections()
            elif word == "fragment":
                self._take("name", "on")
                token = self._take("name")
                made.fragments[name] = Selection(token.line, token.column, on=token.text, children=self._selections())
            else:
                raise SyntaxFault(f'Syntax Error: Unexpected Name "{word}"')
        return made

    def _peek(self) -> Token:
        if self._at == len(self._tokens):
            raise SyntaxFault("Syntax Error: Unexpected <EOF>")
        return self._tokens[self._at]

    def _take(self, kind: str, text: str | None = None) -> Token:
        token = self._peek()
        if token.kind != kind or (text is not None and token.text != text):
            raise SyntaxFault(f"Syntax Error: Expected {text or kind}, found {token.text} in line {token.line}")
        self._at += 1
        return token

    def _skip(self, text: str) -> bool:
        found = self._peek().text == text
        self._at += found
        return found

    def _selections(self) -> list[Selection]:
        self._take("mark", "{")
        made = [self._selection()]
        while not self._skip("}"):
            made.append(self._selection())
        return made

    def _selection(self) -> Selection:
        if self._peek().kind == "spread":
            start = self._take("spread")
            name = self._take("name").text
            if name == "on":
                on = self._take("name").text
                return Selection(start.line, start.column, on=on, children=self._selections())
            return Selection(start.line, start.column, spread=name)
        token = self._take("name")
        made = Selection(token.line, token.column, name=token.text, key=token.text)
        if self._skip(":"):
            made.name = self._take("name").text
        if self._skip("("):
            while not self._skip(")"):
                argument = self._take("name").text
                self._take("mark", ":")
                made.arguments[argument] = self._value()
        if self._peek().text == "{":
            made.children = self._selections()
        return made

    def _value(self) -> object:
        token = self._peek()
        self._at += 1
        match token.kind, token.text:
            case "number", text:
                return float(text) if "." in text else int(text)
            case "string", text:
                return text[1:-1]
            case "name", text:
                return {"true": True, "false": False, "null": None}.get(text, text)
            case "mark", "$":
                return self._variables[self._take("name").text]
            case "mark", "[":
                items = []
                while not self._skip("]"):
                    items.append(self._value())
                return items
            case "mark", "{":
                made = {}
                while not self._skip("}"):
                    name = self._take("name").text
                    self._take("mark", ":")
                    made[name] = self._value()
                return made
        raise SyntaxFault(f"Syntax Error: Unexpected {token.text} in line {token.line}")


def read(text: str, variables: Mapping[str, object]) -> Document:
    """Raises ``SyntaxFault``."""
    return Reader(text, variables).document()
