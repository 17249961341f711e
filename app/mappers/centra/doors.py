"""The two doors of a Centra connection: taking a webhook apart, from its raw bytes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import parse_qsl

import orjson
from pydantic import TypeAdapter, ValidationError

from app.errors import Unusable
from app.mappers.centra import signature
from app.mappers.centra.schemas import ShopEvent
from app.mappers.centra.settings import CentraSettings
from app.mappers.source import Event, Need

Verify: TypeAlias = Callable[[Mapping[bytes, bytes], bytes, Mapping[str, str], CentraSettings, float], None]

MOST_EVENTS = 100  # our contract; Centra itself sends at most 100 as well (Centra Webhook: events per call)
_MOST_FIELDS = 50
_ENVELOPE = TypeAdapter(ShopEvent)
EMPTY = "(empty)"
"""The name of what an empty call is about."""


def verifier(*names: str) -> Verify:
    """Checks the signature with the first of these secrets that is set."""

    def verify(
        headers: Mapping[bytes, bytes], raw: bytes, secrets: Mapping[str, str], settings: CentraSettings, now: float
    ) -> None:
        secret = next(secrets[name] for name in names if secrets.get(name))
        signature.verify(headers, raw, secret, settings, now)

    return verify


def announced(raw: bytes) -> Sequence[Event]:
    """Centra's own webhook: a form whose field ``payload`` holds JSON (``[]`` for an empty object, PHP's habit)."""
    try:
        fields = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise Unusable(f"this is not a form: {error}") from error
    if "payload" not in fields:
        raise Unusable("the form has no field payload")
    payload = _json(fields["payload"].encode(), "the field payload")
    if not payload:
        return [Event(EMPTY, payload)]
    if not isinstance(payload, dict):
        raise Unusable("the field payload holds no JSON object")
    if "events" not in payload:
        return [Event(name, ids) for name, ids in payload.items()]  # versions "Checkout API" and "Storefront API"
    events = payload["events"]
    if not isinstance(events, list):
        raise Unusable("events is no list")
    return [_announced(event) for event in events] or [Event(EMPTY, payload)]


def _announced(event: object) -> Event:
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        return Event("(no type)", event)
    return Event(event["type"], event)


def record(kind: str) -> Callable[[object], Need]:
    """What to ask Centra for: the record that an announced event names. An order's id is its number."""

    def need(event: object) -> Need:
        number = event.get("id") if isinstance(event, dict) else None
        if isinstance(number, bool) or not isinstance(number, int | str) or not str(number):
            raise Unusable("/id: a record's number is expected")
        return Need(kind, str(number))

    return need


def pushed(raw: bytes) -> Sequence[Event]:
    """Our own signed contract: one event, or a list of up to 100. The name of an event is its metric."""
    items = _items(raw)
    return [Event(_metric(item), item) for item in items] or [Event(EMPTY, [])]


def receipt(names: Callable[[], Mapping[str, object]]) -> Callable[[bytes, int, bool], bytes]:
    """The answer to our contract judges each item by its envelope; ``names()`` are the metrics we know.

    ``accepted`` means stored and readable so far. What is not readable is stored as well, for an operator.
    """

    def answer(raw: bytes, webhook_id: int, new: bool) -> bytes:
        try:
            results = [_result(item, names()) for item in _items(raw)]
        except Unusable as error:
            results = [{"result": "quarantined", "detail": str(error)}]
        return orjson.dumps({"webhook": str(webhook_id), "duplicate": not new, "items": results})

    return answer


def _result(item: object, names: Mapping[str, object]) -> dict[str, object]:
    said = item.get("event_id") if isinstance(item, dict) else None
    known: dict[str, object] = {"event_id": said} if isinstance(said, str | int) else {}
    try:
        event = _ENVELOPE.validate_python(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f"/{part}" for part in first["loc"])
        return known | {"result": "quarantined", "detail": f"{where}: {first['msg']}"}
    if event["metric"] not in names:
        return known | {"result": "unknown", "detail": "/metric: this gateway has no such metric"}
    return known | {"result": "accepted"}


def _items(raw: bytes) -> list[object]:
    body = _json(raw, "the body")
    items = body if isinstance(body, list) else [body]
    if len(items) > MOST_EVENTS:
        raise Unusable(f"more than {MOST_EVENTS} events in one call")
    return items


def _metric(item: object) -> str:
    metric = item.get("metric") if isinstance(item, dict) else None
    return metric if isinstance(metric, str) else "(no metric)"


def _json(text: bytes, what: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unusable(f"{what} is not JSON: {error}") from error
