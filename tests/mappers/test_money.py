"""Amounts: exact on the way in, two digits on the way out."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mappers import money

CENTS = st.integers(-(10**14), 10**14)


@given(CENTS)
def test_a_literal_keeps_every_digit(cents: int) -> None:
    exact = Decimal(cents).scaleb(-2)
    assert money.amount(f"{exact:f}") == exact
    assert money.amount(exact) == exact


@given(st.integers(-(10**12), 10**12))
def test_a_json_number_is_read_as_it_was_written(cents: int) -> None:
    literal = f"{Decimal(cents).scaleb(-2):f}"
    assert money.amount(orjson.loads(literal)) == Decimal(literal)


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=6))
def test_it_is_shown_with_two_digits_and_never_as_minus_zero(exact: Decimal) -> None:
    text = money.two_digits(exact)
    whole, _, cents = text.partition(".")
    assert len(cents) == 2
    assert abs(Decimal(text) - exact) <= Decimal("0.005")
    assert text != "-0.00"
    assert whole.lstrip("-").isdigit()


@pytest.mark.parametrize(
    ("exact", "text"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("-0.004", "0.00"),
        ("2.675", "2.68"),
        ("1E+3", "1000.00"),
        ("-0", "0.00"),
    ],
)
def test_it_is_rounded_half_away_from_zero(exact: str, text: str) -> None:
    assert money.two_digits(Decimal(exact)) == text


@pytest.mark.parametrize(
    "literal",
    [None, True, "", " 1", "1 ", "1,0", "1.", ".5", "+1", "1e5", "NaN", "inf", "٣", [], {}, 1e13, 10**13,
     float("nan"), float("inf"), "1" * 21, "1_000"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(literal: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        money.amount(literal)


@pytest.mark.parametrize(("code", "found"), [("SEK", "SEK"), (" eur ", "EUR"), ("XXX", None), ("", None), (None, None)])
def test_a_currency(code: str | None, found: str | None) -> None:
    assert money.currency(code) == found
