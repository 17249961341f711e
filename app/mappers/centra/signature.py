"""Centra's signature: HMAC-SHA256 over ``t.rawbody`` in ``X-Centra-Signature: t=<unix s>,v1=<hex>``."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from app.errors import Unauthorized
from app.mappers.centra.settings import CentraSettings

HEADER = b"x-centra-signature"
SIGNATURES = 10  # more than a rotation of secrets needs


def verify(headers: Mapping[bytes, bytes], raw: bytes, secret: str, settings: CentraSettings, now: float) -> None:
    """Raises ``Unauthorized`` unless one ``v1`` signs these very bytes and ``t`` is within the tolerance of ``now``."""
    stamp, signatures = _parts(headers.get(HEADER, b""))
    if not stamp.isdigit() or len(stamp) > 12 or not signatures or len(signatures) > SIGNATURES:
        raise Unauthorized("no readable signature")
    expected = hmac.digest(secret.encode(), stamp + b"." + raw, hashlib.sha256).hex().encode()
    # Every one is compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(expected, signature.lower()) for signature in signatures]
    if not any(matches):
        raise Unauthorized("wrong signature: another secret, or the body was changed on its way")
    if abs(now - int(stamp)) > settings.signature_tolerance:
        raise Unauthorized("right signature, but its time is too far from ours: look at the clocks")


def _parts(header: bytes) -> tuple[bytes, list[bytes]]:
    """The last ``t`` and every ``v1``; blanks around a pair and unknown keys are allowed."""
    stamp, signatures = b"", []
    for pair in header.split(b","):
        key, _, value = pair.strip().partition(b"=")
        if key == b"t":
            stamp = value
        elif key == b"v1":
            signatures.append(value)
    return stamp, signatures
