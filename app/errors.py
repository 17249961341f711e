"""What can go wrong, as one tree; a class says what we answer and whether trying again can help.

GatewayError
├── Refused                    the caller must change something; answered as problem+json
│   ├── Malformed        400   the body is not what this door reads
│   ├── Unauthorized     401   no valid signature or key; always the same body
│   ├── Forbidden        403   the key's role does not reach this far
│   ├── NotFound         404
│   ├── Conflict         409   the state does not allow it (a name is taken)
│   ├── TooLarge         413
│   ├── Unsupported      415   a Content-Encoding we do not read
│   └── Invalid          422   a field is wrong; carries JSON pointers, never the value
├── Busy                 503   our store cannot take it now; carries Retry-After
├── Unusable                   an authenticated webhook that no mapper can use: quarantined, kept
├── FetchFailed                the platform's API did not answer what a mapper needs: tried again later
├── SettingsUnsafe             refuses to start; names every fault at once
└── LeaseLost                  another worker holds this lane now: drop everything, write nothing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError


class GatewayError(Exception):
    """Anything this project raises on purpose."""

    status = 500
    code = "internal"
    retryable = False


class Refused(GatewayError):
    """The caller is told no."""

    status = 400
    code = "refused"
    title = "Refused"


class Malformed(Refused):
    """The body cannot be read at all."""

    status = 400
    code = "malformed"
    title = "The body cannot be read"


class Unauthorized(Refused):
    """No valid signature or key. Which part was wrong is never said."""

    status = 401
    code = "unauthorized"
    title = "Not authenticated"


class Forbidden(Refused):
    """The key is valid, its role is too small."""

    status = 403
    code = "forbidden"
    title = "Not allowed with this key"


class NotFound(Refused):
    """There is nothing here."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(Refused):
    """The present state does not allow it."""

    status = 409
    code = "conflict"
    title = "Conflict"


class TooLarge(Refused):
    """More bytes than this door takes, before or after inflation."""

    status = 413
    code = "too_large"
    title = "Too large"


class Unsupported(Refused):
    """A Content-Encoding other than gzip or identity."""

    status = 415
    code = "unsupported_encoding"
    title = "Unsupported encoding"


@dataclass(frozen=True)
class Fault:
    """One wrong field: ``pointer`` is a JSON pointer (RFC 6901), ``detail`` never repeats the value."""

    pointer: str
    detail: str


class Invalid(Refused):
    """Fields are wrong; nothing was saved."""

    status = 422
    code = "invalid"
    title = "Some fields are not valid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


class Busy(GatewayError):
    """The store cannot take it now. ``retry_after`` in seconds."""

    status = 503
    code = "busy"
    retryable = True

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unusable(GatewayError):
    """This webhook can never become a command as it stands; the reason is for an operator to read."""

    code = "unusable"


class FetchFailed(GatewayError):
    """The platform's API did not give what a mapper needs.

    ``retry_after`` in seconds when the platform named a time; ``operator`` is true when only a person can help
    (token expired, permission missing): still tried again, because people do help. ``gone``: the platform says that
    it does not exist.
    """

    code = "fetch_failed"
    retryable = True

    def __init__(
        self, detail: str, *, retry_after: float | None = None, operator: bool = False, gone: bool = False
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.operator = operator
        self.gone = gone


class SettingsUnsafe(GatewayError):
    """The process must not start like this."""

    code = "settings_unsafe"


class LeaseLost(GatewayError):
    """Our fencing token is no longer the lane's."""

    code = "lease_lost"
    retryable = True


def faults_of(error: ValidationError, prefix: str = "") -> list[Fault]:
    """Pydantic's findings as pointers, without the values it found."""
    found = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = prefix + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in fault["loc"])
        found.append(Fault(pointer or "/", fault["msg"].removeprefix("Value error, ")))
    return found
