"""Who may do what, and how secrets rest: operator keys, roles, and the box that seals secrets."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets as random_source
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import GatewayError

NONCE_BYTES = 12
KEY_NAME_BYTES = 4
DAY_MILLISECONDS = 86_400_000


class Unsealable(GatewayError):
    """A sealed secret that no present master key opens, or that was moved to another place."""

    code = "unsealable"


class SecretBox:
    """AES-256-GCM under the newest master key; opens what any of the given keys sealed.

    A sealed value is bound to its ``place`` ("connection/shop-1/endpoint_secret"): copied to another row it does not
    open. Layout: 4 bytes that name the key, 12 bytes nonce, ciphertext with tag.
    """

    def __init__(self, master_keys: tuple[str, ...]) -> None:
        raw = [hashlib.sha256(b"klaviyo-gateway secret box\x00" + key.encode()).digest() for key in master_keys]
        self._boxes = {hashlib.sha256(key).digest()[:KEY_NAME_BYTES]: AESGCM(key) for key in raw}
        self._newest = next(iter(self._boxes), b"")

    def seal(self, secret: str, place: str) -> bytes:
        """Encrypt ``secret`` for ``place``."""
        nonce = os.urandom(NONCE_BYTES)
        return self._newest + nonce + self._boxes[self._newest].encrypt(nonce, secret.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt what was sealed for ``place``; raises ``Unsealable``."""
        name, rest = sealed[:KEY_NAME_BYTES], sealed[KEY_NAME_BYTES:]
        box = self._boxes.get(name)
        if box is None:
            raise Unsealable(f"{place}: sealed under a master key that GATEWAY_MASTER_KEY does not list")
        try:
            return box.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place.encode()).decode()
        except InvalidTag:
            raise Unsealable(f"{place}: the sealed bytes were changed or belong elsewhere") from None


class Role(IntEnum):
    """Each role may do what the ones below it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever holds a valid key."""

    key_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh operator key; ``text`` is shown once and never stored."""

    id: str
    text: str
    hash: bytes

    def row(self, name: str, role: str, *, days: int, now: int) -> dict[str, object]:
        """What is stored of it; ``now`` in epoch ms."""
        ends = now + days * DAY_MILLISECONDS
        return {
            "id": self.id, "name": name, "role": role, "hash": self.hash, "created_at": now, "expires_at": ends,
            "revoked_at": None,
        }  # fmt: skip


def new_key() -> NewKey:
    """``gw_<id>_<secret>``, the secret being 32 random bytes (high entropy: SHA-256 at rest is enough)."""
    key_id = random_source.token_hex(6)
    secret = random_source.token_urlsafe(32)
    return NewKey(key_id, f"gw_{key_id}_{secret}", hash_secret(secret))


def split_key(text: str) -> tuple[str, str] | None:
    """The id and the secret of a key as sent, or None when it is not one."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == "gw" and key_id and secret else None


def hash_secret(secret: str) -> bytes:
    """What is stored of an operator key."""
    return hashlib.sha256(secret.encode()).digest()


def same(left: bytes, right: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left, right)


def new_master_key() -> str:
    """A value for GATEWAY_MASTER_KEY."""
    return urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def last_four(secret: str) -> str:
    """What may be shown of a secret: its end, nothing at all of a short one."""
    return secret[-4:] if len(secret) >= 12 else ""
