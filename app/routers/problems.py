"""How our own API says no: application/problem+json (RFC 9457), ASCII, with pointers and never the rejected value."""

from __future__ import annotations

import json

from app.errors import Busy, GatewayError, Invalid, Refused, Unauthorized


def problem(error: GatewayError) -> bytes:
    """The body for ``error``; the one of ``Unauthorized`` is always the same."""
    title = error.title if isinstance(error, Refused) else "Try again later" if isinstance(error, Busy) else "Error"
    body: dict[str, object] = {"type": f"urn:klaviyo-gateway:{error.code}", "title": title, "status": error.status}
    if isinstance(error, Invalid):
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.faults]
    elif not isinstance(error, Unauthorized):
        body["detail"] = str(error)
    return json.dumps(body).encode()
