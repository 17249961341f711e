"""Centra's signature: what is let in, and what never is."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Unauthorized
from app.mappers.centra.doors import verifier
from app.mappers.centra.settings import CentraSettings
from app.mappers.centra.signature import verify

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "samples" / "centra" / "signature_vectors.json"
SETTINGS = CentraSettings(base_currency="SEK")
NOW = 1_795_176_000
SECRET = "our-own-secret"
RAW = b"payload=%7B%22events%22%3A%5B%5D%7D"


def hexed(raw: bytes = RAW, secret: str = SECRET, stamp: str = str(NOW)) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()


GOOD = hexed()


def passes(header: str | bytes | None, raw: bytes = RAW, secret: str = SECRET, now: float = NOW) -> bool:
    value = header.encode("utf-8") if isinstance(header, str) else header
    headers = {b"x-centra-signature": value} if value is not None else {}
    try:
        verify(headers, raw, secret, SETTINGS, now)
    except Unauthorized:
        return False
    return True


def test_the_vendors_published_vector() -> None:
    signature = "0b9cd84f5d583e5e1aadfb9f160aa8080b51d5b85ff85808d6b75bdac356c549"
    header, raw = f"t=12345678,v1={signature}", b"payload=%7B%22x%22%3A%22test%22%7D"
    assert passes(header, raw, "test123", now=12345678)
    assert not passes(header, raw, "test123", now=NOW)


def _vectors() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    found = json.loads(VECTORS.read_text())
    return list(found["vectors"] if isinstance(found, dict) else found)


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the vectors are not here: {VECTORS}")
def test_all_eighteen_vectors() -> None:
    vectors = _vectors()
    assert len(vectors) == 18
    let_in = []
    for vector in vectors:
        name = vector["name"]
        now = {"vendor_published_vector": 12345678, "negative_stale": NOW}.get(name, int(vector["timestamp"]))
        header = vector["header"].removeprefix("X-Centra-Signature: ")
        if passes(header, vector["raw_body"].encode(), vector["secret"], now):
            let_in.append(name)
    refused = {vector["name"] for vector in vectors} - set(let_in)
    assert refused == {
        "negative_reencoded_body",
        "negative_wrong_secret",
        "negative_stale",
        "negative_header_garbage",
    }


GOOD_ONES = [
    f"t={NOW},v1={GOOD}",
    f"t={NOW}, v1={GOOD}",
    f" t={NOW} ,  v1={GOOD} ",
    f"v1={GOOD},t={NOW}",
    f"t={NOW},v1={GOOD.upper()}",
    f"t={NOW},v0=abc,v1={GOOD},v2=def",
    f"t={NOW},v1={'0' * 64},v1={GOOD}",
]

HOSTILE: list[str | bytes | None] = [
    None, "", " ", ",", "=", ",,,,", "t", "v1", "t=", "v1=", "t=,v1=", f"t={NOW}", f"v1={GOOD}", f"t={NOW},v1=",
    f"t={NOW},v1={GOOD[:-1]}", f"t={NOW},v1={GOOD}0", f"t={NOW},v1={GOOD[::-1]}", f"t={NOW},v1={'0' * 64}",
    f"t={NOW},v1={'z' * 64}", f"t={NOW},v2={GOOD}", f"t={NOW},V1={GOOD}", f"T={NOW},v1={GOOD}",
    f"t=-{NOW},v1={GOOD}", f"t=+{NOW},v1={GOOD}", f"t={NOW}.0,v1={GOOD}", f"t= {NOW},v1={GOOD}",
    f"t={NOW}e0,v1={GOOD}", f"t=0x6b000000,v1={GOOD}", f"t=NaN,v1={GOOD}", f"t=inf,v1={GOOD}",
    f"t=٣{NOW},v1={GOOD}", f"t=0{NOW},v1={GOOD}", f"t={NOW}{'0' * 400},v1={GOOD}", f"t={NOW - 301},v1={GOOD}",
    f"t={NOW + 301},v1={GOOD}", f"t={NOW},t={NOW + 1},v1={GOOD}", f"t={NOW};v1={GOOD}", f"t={NOW}&v1={GOOD}",
    f"t={NOW}\x00,v1={GOOD}", f"t={NOW},v1={GOOD}\x00", f'"t={NOW},v1={GOOD}"', f"t={NOW},v1=sha256={GOOD}",
    b"\xff\xfe", b"t=\xff,v1=\xff", f"t={NOW}," + ",".join(f"v1={n:064x}" for n in range(1000)) + f",v1={GOOD}",
    "t=1,v1=a," * 5000, f"t={NOW},v1={hexed(secret='')}", f"t={NOW},v1={hexed(raw=b'')}",
    f"t={NOW},v1={hashlib.sha256(RAW).hexdigest()}", f"t={NOW},v1={hexed(raw=RAW + b' ')}", GOOD, f"{NOW}.{GOOD}",
]  # fmt: skip


@pytest.mark.parametrize("header", GOOD_ONES)
def test_a_right_signature_passes_however_it_is_spaced(header: str) -> None:
    assert passes(header)


@pytest.mark.parametrize("header", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_header_does_not(header: str | bytes | None) -> None:
    assert len(HOSTILE) >= 40
    assert not passes(header)


@given(st.binary(max_size=200))
def test_no_header_makes_it_fail_otherwise(header: bytes) -> None:
    assert not passes(header)


@pytest.mark.parametrize("off", [-300, -299, 0, 299, 300])
def test_the_window_is_300_seconds_both_ways(off: int) -> None:
    assert passes(f"t={NOW},v1={GOOD}", now=NOW + off)
    assert not passes(f"t={NOW},v1={GOOD}", now=NOW + (301 if off >= 0 else -301))


def test_every_changed_byte_breaks_it() -> None:
    for n in range(len(RAW)):
        changed = RAW[:n] + bytes([RAW[n] ^ 1]) + RAW[n + 1 :]
        assert not passes(f"t={NOW},v1={GOOD}", changed)


def test_the_events_door_takes_its_own_secret_before_the_endpoint_secret() -> None:
    check = verifier("events_secret", "endpoint_secret")
    headers = {b"x-centra-signature": f"t={NOW},v1={GOOD}".encode()}
    check(headers, RAW, {"endpoint_secret": SECRET}, SETTINGS, NOW)
    check(headers, RAW, {"endpoint_secret": "another", "events_secret": SECRET}, SETTINGS, NOW)
    with pytest.raises(Unauthorized):
        check(headers, RAW, {"endpoint_secret": SECRET, "events_secret": "another"}, SETTINGS, NOW)
