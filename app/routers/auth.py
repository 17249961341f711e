"""Who calls: an operator key as ``Authorization: Bearer gw_<id>_<secret>``, and what its role may do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import Forbidden, Unauthorized
from app.security import Operator, Role, hash_secret, same, split_key
from app.store import config

if TYPE_CHECKING:
    from app.main import Gateway

NOBODYS_HASH = bytes(32)
BEARER = HTTPBearer(
    auto_error=False, scheme_name="OperatorKey",
    description="`Authorization: Bearer gw_<id>_<secret>`; `gateway keys create --role admin` makes the first key.",
)  # fmt: skip


def gateway(request: Request) -> Gateway:
    """The running parts."""
    found: Gateway = request.app.state.gateway
    return found


async def authenticate(request: Request) -> Operator:
    """The holder of a living key; raises ``Unauthorized``, which never says what was wrong with it."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    parts = split_key(text.strip()) if scheme.lower() == "bearer" else None
    if parts is None:
        raise Unauthorized("no key")
    key_id, secret = parts
    row = await gateway(request).database.read(config.key, key_id)
    right = same(hash_secret(secret), NOBODYS_HASH if row is None else row.hash)
    if row is None or not right or row.revoked_at is not None or row.expires_at <= time.time() * 1000:
        raise Unauthorized("an unknown, expired or revoked key")
    return Operator(key_id, Role[row.role.upper()])


async def _declared(_: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]) -> None:
    """For the description of the API; ``gate.KeyedRoute`` demands the role, before FastAPI parses any body."""


def demand(request: Request, role: Role) -> None:
    """Raises ``Forbidden`` when the caller's role is below ``role``. A request without a caller is our own fault."""
    operator: Operator = request.state.operator
    if operator.role < role:
        raise Forbidden(f"this takes a key with the role {role.name.lower()}")


VIEWER = Security(_declared, scopes=["viewer"])
OPERATOR = Security(_declared, scopes=["operator"])
ADMIN = Security(_declared, scopes=["admin"])
