"""From the query file to the text of one operation, with or without its optional lines.

A text keeps the line numbers of the file, so that the location in a server's error names the line of the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import orjson

_FILE = Path(__file__).with_name("queries.graphql")
_BEGINS = re.compile(r"(?:query|fragment) (\w+)")
_SPREAD = re.compile(r"\.\.\.(\w+)")
_VARIABLE = re.compile(r"\$(\w+)")
_QUOTED = re.compile(r'"(\w+)"')


def _definitions(lines: list[str]) -> Iterator[tuple[str, range]]:
    """Each query's and fragment's name with its line numbers; a definition begins and ends in the first column."""
    begin, name = 0, ""
    for number, line in enumerate(lines, start=1):
        if found := _BEGINS.match(line):
            begin, name = number, found[1]
        elif line.startswith("}"):
            yield name, range(begin, number + 1)


_RAW = _FILE.read_text(encoding="utf-8").splitlines()
_DEFINITIONS = dict(_definitions(_RAW))
OPTIONAL: Mapping[int, str] = {
    number: line.partition("#")[0].strip() for number, line in enumerate(_RAW, start=1) if line.endswith("# optional")
}


def document(operation: str, *, without: Collection[int] = (), **values: object) -> str:
    """The text to send: the operation and the fragments it uses, ``$name`` replaced by ``values["name"]`` as JSON."""
    text = [""] * len(_RAW)
    pending = [operation]
    seen = {operation}
    while pending:
        for number in _DEFINITIONS[pending.pop()]:
            if number in without:
                continue
            line = _RAW[number - 1].partition("#")[0].rstrip()
            text[number - 1] = _VARIABLE.sub(lambda found: orjson.dumps(values[found[1]]).decode(), line)
            used = set(_SPREAD.findall(line)) - seen
            seen |= used
            pending.extend(used)
    return "\n".join(text)


def optional_lines(message: str, locations: Collection[int]) -> frozenset[int]:
    """The optional lines an error speaks of: by location or, from a server that gives none, by the names it quotes."""
    if locations:
        return frozenset(OPTIONAL.keys() & set(locations)) if set(locations) <= OPTIONAL.keys() else frozenset()
    names = set(_QUOTED.findall(message)[:1])
    return frozenset(number for number, line in OPTIONAL.items() if names & set(re.findall(r"\w+", line)))
