"""Who somebody is: what is kept, what is dropped, and that the short way never takes what the library refuses."""

from __future__ import annotations

import pytest
from email_validator import validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from app.mappers import identity

LOCAL = st.text("abcxyz0189_+-.", min_size=1, max_size=40)
LABEL = st.text("abcxyz0189-", min_size=1, max_size=20)
ADDRESS = st.builds(
    lambda local, labels, top: f"{local}@{'.'.join([*labels, top])}",
    LOCAL,
    st.lists(LABEL, min_size=1, max_size=3),
    st.sampled_from(["com", "se", "test", "local", "invalid", "example", "co.uk", "xn--p1ai", "c", "museum"]),
)


@given(ADDRESS)
@example("a@b.com")
@example("a--b@b--c.com")
@example("-a@-b.com")
@example("a@xn--b.com")
def test_the_short_way_takes_only_what_the_library_takes(address: str) -> None:
    kept = identity.email(address)
    if kept is not None:
        found = validate_email(address, check_deliverability=False)
        assert kept == (found.ascii_email or found.normalized).lower()


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_none(text: str) -> None:
    kept = identity.email(text)
    assert kept is None or (kept == identity.email(kept) and len(kept) <= identity.EMAIL_LIMIT)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (" Elin.Sandberg@Example.COM ", "elin.sandberg@example.com"),
        ("kontakt@räksmörgås.se", "kontakt@xn--rksmrgs-5wao1o.se"),
        ("first+tag@shop.example.com", "first+tag@shop.example.com"),
        ("nobody", None),
        ("a@b", None),
        ("a b@shop.example.com", None),
        ("a@shop..example.com", None),
        ("a@localhost", None),
        ("", None),
        (None, None),
        ("x" * 95 + "@shop.example.com", None),
    ],
)
def test_an_address(given_: str | None, kept: str | None) -> None:
    assert identity.email(given_) == kept


@pytest.mark.parametrize(
    ("number", "country", "kept"),
    [
        ("070-174 06 05", "SE", "+46701740605"),
        ("070-174 06 05", "se", "+46701740605"),
        ("0046 70 174 06 05", "SE", "+46701740605"),
        ("+46 70 174 06 05", None, "+46701740605"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("070-174 06 05", None, None),
        ("070-174 06 05", "XX", None),
        ("12", "SE", None),
        ("+0", "SE", None),
        ("call me", "SE", None),
        ("1" * 300, "SE", None),
    ],
)
def test_a_phone_number(number: str, country: str | None, kept: str | None) -> None:
    assert identity.phone(number, country) == kept


@given(st.text(max_size=60), st.sampled_from(["SE", "DE", "US", "GB", "", None]))
def test_any_text_is_a_number_or_none(text: str, country: str | None) -> None:
    kept = identity.phone(text, country)
    assert kept is None or (kept.startswith("+") and kept[1:].isdigit() and identity.phone(kept, None) == kept)


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=4))
def test_a_unique_id_fits_and_tells_long_ones_apart(parts: list[str]) -> None:
    made = identity.unique_id(*parts)
    assert 1 <= len(made) <= identity.ID_LIMIT
    if len("-".join(parts)) > identity.ID_LIMIT:
        assert made != identity.unique_id(*parts, "x")
