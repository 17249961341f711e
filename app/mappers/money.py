"""An amount's way through the gateway: read exactly, reckoned as Decimal, shown with two digits."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

LIMIT = Decimal(10) ** 12
_PENNY = Decimal("0.01")
_COMPLAINT = "an amount such as 12.30 is expected: a point, no thousands separator"
_LITERAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)

# ISO 4217: living codes and those that recent orders still carry; the X-codes that are no money are not here
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS
VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())


def amount(literal: object) -> Decimal:
    """The exact amount of a JSON number or of a text such as ``"-12.30"``; minus zero is zero.

    Raises ``ValueError`` for anything else: a comma, a blank, an exponent in a text, a truth value, NaN, or more than
    10^12. A float is read by its shortest text, which is the literal it was parsed from.
    """
    if isinstance(literal, float):
        exact = Decimal(repr(literal))
    elif isinstance(literal, str):
        if not _LITERAL.fullmatch(literal):
            raise ValueError(_COMPLAINT)
        exact = Decimal(literal)
    elif isinstance(literal, int | Decimal) and not isinstance(literal, bool):
        exact = Decimal(literal)
    else:
        raise ValueError(_COMPLAINT)
    if not exact.is_finite() or not -LIMIT <= exact <= LIMIT:
        raise ValueError("an amount is at most 10^12")
    return exact or Decimal(0)


def rounded(exact: Decimal) -> Decimal:
    """Two digits after the point, half away from zero, never minus zero."""
    return exact.quantize(_PENNY, ROUND_HALF_UP) or Decimal("0.00")


def two_digits(exact: Decimal) -> str:
    """``"12.30"``; see ``rounded``."""
    return f"{rounded(exact):f}"


def currency(code: str | None) -> str | None:
    """An ISO 4217 code in capitals, or None when it is none."""
    if code is None:
        return None
    capitals = code if code in CURRENCIES else code.strip().upper()
    return capitals if capitals in CURRENCIES else None
