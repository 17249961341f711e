"""Who somebody is to Klaviyo: an e-mail address, a phone number in E.164, an id of the platform's."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

EMAIL_LIMIT = 100  # Klaviyo: longer addresses are refused
ID_LIMIT = 255  # Klaviyo: external_id and unique_id
_PHONE_LIMIT = 40

# A subset of what the library accepts as it stands (a test proves it): 64 characters keep every length rule, single
# hyphens inside labels keep IDNA out, and special domains are left to the library.
_PLAIN_LIMIT = 64
_PLAIN = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+([a-z]{2,})", re.ASCII).fullmatch
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


def email(text: str | None) -> str | None:
    """The address trimmed and in small letters, or None when nobody could be reached under it.

    Most addresses are plain and pass without the library, which takes 60 µs for each.
    """
    if not text:
        return None
    address = text.strip().lower()
    if len(address) <= _PLAIN_LIMIT:
        plain = _PLAIN(address)
        if plain and plain[1] not in _SPECIAL:
            return address
    return _checked(address)


def _checked(address: str) -> str | None:
    address = unicodedata.normalize("NFKC", address).strip()
    if len(address) > EMAIL_LIMIT:
        return None
    try:
        found = validate_email(address, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return None
    # One spelling for one mailbox: an international domain has two, the ASCII one works everywhere.
    spelled = (found.ascii_email or found.normalized).lower()
    return spelled if len(spelled) <= EMAIL_LIMIT else None


@lru_cache(maxsize=8192)
def phone(text: str, country: str | None) -> str | None:
    """E.164, or None when no such number can exist. A number without ``+`` is read in ``country`` (ISO 3166, two
    letters). Remembered, because a check takes 60 µs and a customer's number returns with every event.
    """
    if len(text) > _PHONE_LIMIT:
        return None
    try:
        number = phonenumbers.parse(text, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def unique_id(*parts: str) -> str:
    """The parts joined by dashes, 1-255 characters (Klaviyo: unique_id); what would be longer ends in its hash."""
    joined = "-".join(parts)
    if len(joined) <= ID_LIMIT:
        return joined
    digest = hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()
    return f"{joined[: ID_LIMIT - len(digest) - 1]}-{digest}"
