"""Answers a question from records: refuses fields that do not exist, hides what the token may not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from app.mappers.centra.sandbox.language import Document, Selection, SyntaxFault, read
from app.mappers.centra.sandbox.schema import ARGUMENTS, PERMISSIONS

Record: TypeAlias = dict[str, object]
Types: TypeAlias = Mapping[str, Mapping[str, str]]

_INTERFACES = {
    "AppliedVoucher": "OrderDiscount",
    "DirectToConsumerOrder": "Order",
    "DirectToConsumerReturn": "Return",
    "DirectToConsumerShipment": "Shipment",
    "ProductOrderLine": "OrderLine",
}


@dataclass
class Execution:
    """One question. ``records(root)`` gives every record of a root field."""

    types: Types
    granted: Set[str]
    records: Callable[[str], Sequence[Record]]
    errors: list[Record] = field(default_factory=list)
    used: dict[str, None] = field(default_factory=dict)
    complexity: int = 10
    _fragments: dict[str, Selection] = field(default_factory=dict)

    def answer(self, text: str, operation: str, variables: Mapping[str, object]) -> Record:
        """The JSON of the answer: ``data`` unless the question is refused, ``errors`` if any, ``extensions``."""
        data: Record | None = None
        try:
            asked = read(text, variables)
            if operation not in asked.operations:
                raise SyntaxFault(f'Unknown operation named "{operation}".')
            self._fragments = asked.fragments
            self._validate(asked, operation)
        except SyntaxFault as fault:
            self._refuse(str(fault), None)
        if not self.errors:
            data = self._data(asked.operations[operation])
        made: Record = {"extensions": {"complexity": self.complexity, "permissionsUsed": list(self.used)}}
        if self.errors:
            made["errors"] = self.errors
        if data is not None:
            made["data"] = data
        return made

    # -- validation

    def _refuse(self, message: str, place: Selection | None, category: str = "graphql") -> None:
        error: Record = {"message": message, "extensions": {"category": category}}
        if place:
            error["locations"] = [{"line": place.line, "column": place.column}]
        self.errors.append(error)

    def _validate(self, asked: Document, operation: str) -> None:
        spread: set[str] = set()
        self._validate_selections(asked.operations[operation], "Query", spread)
        for name, fragment in asked.fragments.items():
            if name not in spread:
                self._refuse(f'Fragment "{name}" is never used.', fragment)
            elif fragment.on in self.types:
                self._validate_selections(fragment.children, fragment.on, spread)
            else:
                self._refuse(f'Unknown type "{fragment.on}".', fragment)

    def _validate_selections(self, selections: Sequence[Selection], kind: str, spread: set[str]) -> None:
        for selection in selections:
            if selection.spread:
                spread.update(self._spreads(selection.spread))
                if selection.spread not in self._fragments:
                    self._refuse(f'Unknown fragment "{selection.spread}".', selection)
            elif selection.on and selection.on not in self.types:
                self._refuse(f'Unknown type "{selection.on}".', selection)
            elif selection.on:
                self._validate_selections(selection.children, selection.on, spread)
            elif selection.name != "__typename":
                self._validate_field(selection, kind, spread)

    def _spreads(self, name: str) -> Iterator[str]:
        yield name
        fragment = self._fragments.get(name)
        pending = [*fragment.children] if fragment else []
        while pending:
            selection = pending.pop()
            pending += selection.children
            if selection.spread:
                yield from self._spreads(selection.spread)

    def _validate_field(self, selection: Selection, kind: str, spread: set[str]) -> None:
        leads_to = self.types[kind].get(selection.name)
        if leads_to is None:
            self._refuse(f'Cannot query field "{selection.name}" on type "{kind}".', selection)
        elif bool(leads_to) != bool(selection.children):
            want = "must have" if leads_to else "must not have"
            self._refuse(f'Field "{selection.name}" of type "{leads_to}" {want} a selection of subfields.', selection)
        elif unknown := selection.arguments.keys() - ARGUMENTS:
            self._refuse(f'Unknown argument "{min(unknown)}" on field "{selection.name}".', selection)
        else:
            self._validate_selections(selection.children, leads_to, spread)

    # -- data

    def _data(self, selections: Sequence[Selection]) -> Record | None:
        """None when a root field may not be seen: root fields are never null, so all of ``data`` goes."""
        made: Record = {}
        for selection in selections:
            if not self._allowed("Query", selection, [selection.key]):
                return None
            found = [record for record in self.records(selection.name) if _matches(record, selection)]
            limit = selection.arguments.get("limit", 20)
            if not isinstance(limit, int) or not 1 <= limit <= 200:
                self._refuse("Limit must be in range 1 - 200", selection, "limit")
                return None
            kind = self.types["Query"][selection.name]
            made[selection.key] = [
                self._object(record, selection.children, kind, [selection.key, index])
                for index, record in enumerate(found[:limit])
            ]
        return made

    def _allowed(self, kind: str, selection: Selection, path: list[str | int]) -> bool:
        permission = PERMISSIONS.get(f"{_INTERFACES.get(kind, kind)}.{selection.name}")
        if permission is None:
            return True
        self.used[permission] = None
        if permission in self.granted:
            return True
        self._refuse(f"You need {permission} permission to access {selection.name}.", selection, "authorization")
        self.errors[-1]["path"] = path
        return False

    def _object(self, record: Record, selections: Sequence[Selection], kind: str, path: list[str | int]) -> Record:
        made: Record = {}
        own = str(record.get("__typename", kind))
        for selection in selections:
            if selection.spread or selection.on:
                fragment = self._fragments[selection.spread] if selection.spread else selection
                if fragment.on in (own, _INTERFACES.get(own)):
                    made |= self._object(record, fragment.children, fragment.on, path)
            elif selection.name == "__typename":
                made[selection.key] = own
            else:
                made[selection.key] = self._field(record, selection, kind, [*path, selection.key])
        return made

    def _field(self, record: Record, selection: Selection, kind: str, path: list[str | int]) -> object:
        self.complexity += 1
        if not self._allowed(kind, selection, path):
            return None
        without_tax = selection.arguments.get("includingTax") is False
        value = record.get(f"{selection.name}ExTax" if without_tax else selection.name)
        leads_to = self.types[kind][selection.name]
        if isinstance(value, list):
            shown = [one for one in value if selection.name != "lines" or _is_shown(one, selection)]
            return [self._object(one, selection.children, leads_to, [*path, n]) for n, one in enumerate(shown)]
        if isinstance(value, dict):
            made = self._object(value, selection.children, leads_to, path)
            size = selection.arguments.get("sizeName")
            return {k: str(v).replace("{size}", str(size)) for k, v in made.items()} if size else made
        return value


def _matches(record: Record, selection: Selection) -> bool:
    where = selection.arguments.get("where")
    wanted = where if isinstance(where, dict) else {}
    return all(record.get(name) in (value if isinstance(value, list) else [value]) for name, value in wanted.items())


def _is_shown(line: Record, selection: Selection) -> bool:
    """Order lines that were cancelled whole are left out unless asked for."""
    return line.get("quantity") != 0 or selection.arguments.get("includeFullyCancelled") is True
