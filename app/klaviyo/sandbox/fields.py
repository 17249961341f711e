"""What a single value may be: Klaviyo's rules for e-mail, phone, time, money and properties, as types that check."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

import orjson
import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

# Klaviyo says KB and MB without saying which; the sandbox judges by the smaller reading.
STRING_BYTES = 100_000
PROFILE_BYTES = 100_000
EVENT_PROFILE_BYTES = 95_000
REQUEST_BYTES = 5_000_000
PROPERTIES = 400
ARRAY_ITEMS = 4000
NESTING = 10  # objects and arrays alike, the property object itself being the first level
EMAIL_LENGTH = 100
SMALLEST, LARGEST = -(2**63), 2**63 - 1

_FIRST_TIME = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
_YEAR = 365 * 86_400.0
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_PLAIN_MAILBOX = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)

# ISO 4217, the codes of money in use.
_CURRENCY = re.compile(
    r"AED|AFN|ALL|AMD|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BZD|CAD|CDF|CHF|"
    r"CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|"
    r"HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|"
    r"LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|"
    r"PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|SZL|THB|TJS|TMT|"
    r"TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VED|VES|VND|VUV|WST|XAF|XCD|XCG|XOF|XPF|YER|ZAR|ZMW|ZWG"
)


def moment(text: str) -> datetime:
    """Read an RFC 3339 time with an offset; raises ValueError for anything else (Klaviyo: uppercase T and Z)."""
    if not _RFC3339.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _rfc3339(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError:
        raise PydanticCustomError("invalid", "Not an RFC 3339 date and time with an offset.") from None


def _event_time(text: str, info: ValidationInfo[float]) -> str:
    if not _FIRST_TIME <= _rfc3339(text).timestamp() <= info.context + _YEAR:
        raise PydanticCustomError("invalid", "The time must be after 1990 and at most one year ahead.")
    return text


def _past_time(text: str, info: ValidationInfo[float]) -> str:
    if _rfc3339(text).timestamp() > info.context:
        raise PydanticCustomError("invalid", "consented_at must be in the past.")
    return text


def _date(text: str) -> str:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("invalid", "Not a date of the form YYYY-MM-DD.") from None
    return text


@lru_cache(maxsize=4096)
def _deliverable(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _email(text: str) -> str:
    mailbox, _, domain = text.rpartition("@")
    # The library takes 60 us per address: a plain mailbox of up to 64 letters leaves only the domain to ask it about.
    asked = f"a@{domain}" if len(mailbox) <= 64 and _PLAIN_MAILBOX.fullmatch(mailbox) else text
    if len(text) > EMAIL_LENGTH or not _deliverable(asked):
        raise PydanticCustomError("invalid", "Invalid email address.")
    return text


@lru_cache(maxsize=65536)
def _dialable(text: str) -> bool:
    if not _E164.fullmatch(text):
        return False
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return False
    # The library forgives a trunk zero after the country code, which is no E.164.
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written == text and phonenumbers.is_valid_number(number)


def _phone(text: str) -> str:
    if not _dialable(text):
        raise PydanticCustomError("invalid", "Invalid phone number format: E.164 such as +12345678901 is required.")
    return text


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise PydanticCustomError("invalid", "Not an ISO 4217 currency code.")
    return text


def _string(text: str) -> str:
    # A character has at most four bytes, so most strings need no encoding to be judged.
    if len(text) * 4 > STRING_BYTES and len(text.encode()) > STRING_BYTES:
        raise PydanticCustomError("invalid", "A single string cannot exceed 100 KB.")
    return text


def _check(container: dict[str, object] | list[object], level: int) -> None:
    if level > NESTING:
        raise PydanticCustomError("invalid", "Objects cannot be nested more than 10 levels deep.")
    if isinstance(container, list) and len(container) > ARRAY_ITEMS:
        raise PydanticCustomError("invalid", "An array cannot have more than 4000 items.")
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, str):
            # Asking here rather than in a call halves the cost of an event: most values are short strings.
            if len(value) * 4 > STRING_BYTES:
                _string(value)
        elif isinstance(value, (dict, list)):
            _check(value, level + 1)
        # A float is looked at too: orjson reads an integer beyond 64 bits as one.
        elif isinstance(value, (int, float)) and not SMALLEST <= value <= LARGEST:
            raise PydanticCustomError("invalid", "Integers are limited to 64 bits.")


def _properties(properties: dict[str, object]) -> dict[str, object]:
    _check(properties, 1)
    return properties


def _event_properties(properties: dict[str, object]) -> dict[str, object]:
    if len(properties) > PROPERTIES:
        raise PydanticCustomError("invalid", "An event cannot have more than 400 properties.")
    return _properties(properties)


def _coordinate(value: object) -> object:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("invalid", "A coordinate is a number or a string.")


def _keys(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(key, str) for key in value):
        return value
    raise PydanticCustomError("invalid", "unset takes a key or a list of keys.")


def fits(value: object, limit: int) -> bool:
    """Tell whether the value takes at most `limit` bytes as JSON."""
    return len(orjson.dumps(value)) <= limit


Text = Annotated[str, AfterValidator(_string)]
Email = Annotated[str, AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
Identifier = Annotated[str, Field(min_length=1, max_length=255)]
EventTime = Annotated[str, AfterValidator(_event_time)]
PastTime = Annotated[str, AfterValidator(_past_time)]
Date = Annotated[str, AfterValidator(_date)]
Money = Annotated[float, Field(allow_inf_nan=False)]
Currency = Annotated[str, AfterValidator(_currency)]
MetricName = Annotated[str, Field(min_length=1, max_length=127)]
Properties = Annotated[dict[str, object], AfterValidator(_properties)]
EventProperties = Annotated[dict[str, object], AfterValidator(_event_properties)]
Coordinate = Annotated[object, AfterValidator(_coordinate)]
Keys = Annotated[object, AfterValidator(_keys)]
