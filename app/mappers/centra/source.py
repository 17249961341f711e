"""Centra: two doors, and the table of what its events are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson

from app.errors import Unusable
from app.mappers.centra import order_placed, signature
from app.mappers.centra.api import CentraApi
from app.mappers.centra.schemas import OrderEvent
from app.mappers.centra.settings import CentraSecrets, CentraSettings
from app.mappers.source import Door, Event, Example, Source, on

MOST_EVENTS = 100


def _verify(*names: str) -> Callable[[Mapping[bytes, bytes], bytes, Mapping[str, str], Any, float], None]:
    def verify(
        headers: Mapping[bytes, bytes], raw: bytes, secrets: Mapping[str, str], settings: Any, now: float
    ) -> None:
        secret = next(secrets[name] for name in names if secrets.get(name))
        signature.verify(headers, raw, secret, settings, now)

    return verify


def pushed(raw: bytes) -> Sequence[Event]:
    """One event of our signed contract, or a list of up to 100."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Unusable(f"this is not JSON: {error}") from error
    items = body if isinstance(body, list) else [body]
    if len(items) > MOST_EVENTS:
        raise Unusable(f"more than {MOST_EVENTS} events in one call")
    return [Event(str(item.get("metric", "")) if isinstance(item, dict) else "", item) for item in items]


def announced(raw: bytes) -> Sequence[Event]:
    """The events of a Centra webhook, ids only."""
    fields = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    payload = orjson.loads(fields.get("payload", "{}"))
    events = payload.get("events", []) if isinstance(payload, dict) else []
    return [Event(str(event.get("type", "")), event) for event in events]


def receipt(raw: bytes, duplicate: bool) -> bytes:
    """Each item judged."""
    return b'{"accepted":1}'


SOURCE = Source(
    name="centra",
    title="Centra",
    settings=CentraSettings,
    secrets=CentraSecrets,
    doors=(
        Door(
            name="webhooks", path="/webhooks/centra/{connection}", secrets=("endpoint_secret",),
            verify=_verify("endpoint_secret"), events=announced, content_type="application/x-www-form-urlencoded",
            examples=(Example("An order", {"events": []}),), schema={}, summary="Centra's own webhooks",
        ),
        Door(
            name="events", path="/webhooks/centra/{connection}/events", secrets=("events_secret", "endpoint_secret"),
            verify=_verify("events_secret", "endpoint_secret"), events=pushed, content_type="application/json",
            examples=(Example("Placed Order", {"event_id": "e1", "metric": "Placed Order", "occurred_at": "2026-11-20T11:59:58Z", "customer": {"email": "a@shop.example.com"}, "data": {"$event_id": "1"}}),), schema={}, summary="What Centra cannot push", status=202, receipt=receipt,
        ),
    ),
    table={"Placed Order": on("order_placed", OrderEvent, order_placed.map)},
    connect=CentraApi,
)  # fmt: skip
