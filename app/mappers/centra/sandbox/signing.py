"""Writes a webhook the way Centra does: a form with one field, signed over its raw bytes (Centra: Centra Webhook)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import orjson


def form(events: Sequence[Mapping[str, object]]) -> bytes:
    """The body of a webhook call, e.g. ``payload=%7B%22events%22...``; a blank becomes ``+``, as PHP writes it."""
    return urlencode({"payload": orjson.dumps({"events": events})}).encode()


def sign(raw: bytes, secret: str, now: float) -> str:
    """The value of ``X-Centra-Signature``; ``now`` in epoch seconds."""
    moment = int(now)
    digest = hmac.new(secret.encode(), b"%d." % moment + raw, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
