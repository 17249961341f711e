"""Whatever is sent, the answer is a refusal that names the places and not the values, and nothing is half saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.api.conftest import ACCOUNT, CONNECTION, Office
from tests.api.contract import operations

LONG = "long" * 25_000
SHOP = "/api/connections/shop"
DEEP = json.loads("[" * 60 + "]" * 60)


def targets(*, body: bool) -> list[tuple[str, str]]:
    """Every operation of /api that takes a body, or those that take none, with ids that exist."""
    found = []
    for method, path, operation in operations():
        if path.startswith("/api") and ("requestBody" in operation) is body:
            ids = {"account_id": "main", "connection_id": "shop", "scope": "store:1", "key_id": "nobody"}
            ids |= {"webhook_id": "7", "command_id": "7"}
            found.append((method, path.format(**ids)))
    return found


async def snapshot(office: Office) -> list[Any]:
    """All that could have been changed."""
    return [
        await office.ask("GET", path)
        for path in ("/api/accounts", "/api/connections", f"{SHOP}/scopes", "/api/keys", "/api/stats")
    ]


BODIES = {
    "nothing": (b"", 422),
    "blank": (b"  ", 400),
    "half": (b'{"id": ', 400),
    "two": (b"{}{}", 400),
    "trailing comma": (b'{"id": "a",}', 400),
    "single quotes": (b"{'id': 'a'}", 400),
    "NaN": (b'{"id": NaN}', 400),
    "Infinity": (b'{"id": -Infinity}', 400),
    "lone surrogate": (b'{"name": "\\ud800"}', 400),
    "a key that is a lone surrogate": (b'{"\\udfff": 1}', 400),
    "not UTF-8": (b'{"name": "\xff"}', 400),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), 400),
    "byte order mark": (b"\xef\xbb\xbf{}", 400),
    "a key twice": (b'{"id": "a", "id": "b"}', 400),
    "an inner key twice": (b'{"settings": {"a": 1, "a": 2}}', 400),
    "a number beyond all": (b'{"days": 1e999}', 400),
    "a text": (b'"text"', 422),
    "null": (b"null", 422),
    "a list": (b"[1, 2]", 422),
    "a number": (b"7", 422),
    "a long number": (b'{"days": ' + b"9" * 30 + b"}", 422),
    "a very long number": (b'{"days": ' + b"9" * 5000 + b"}", 400),
    "nested": (b'{"settings":' * 70 + b"{}" + b"}" * 70, 422),
    "nested beyond any parser": (b"[" * 100_000 + b"]" * 100_000, 400),
    "many items": (b"[" + b"0," * 5_000 + b"0]", 422),
    "many keys": (b"{" + b",".join(b'"k%d":0' % n for n in range(10_001)) + b"}", 422),
    "too large": (b" " * 300_000, 413),
}


@pytest.mark.parametrize("name", list(BODIES))
async def test_a_body_that_is_no_plain_json_object(office: Office, name: str) -> None:
    raw, expected = BODIES[name]
    await office.set_up()
    before = await snapshot(office)
    for method, path in targets(body=True):
        answer = await office.call(method, path, raw=raw)
        assert answer.status_code == expected, (method, path, answer.text)
        assert len(answer.content) < 20_000, "an answer that grows with the question"
    assert await snapshot(office) == before


async def test_a_body_in_another_clothing(office: Office) -> None:
    for method, path in targets(body=True):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/json5", "multipart/form-data"):
            answer = await office.call(method, path, raw=b"{}", content_type=kind)
            assert answer.status_code == 415, (method, path, kind)
        for kind in ("application/json; charset=utf-8", "Application/JSON"):
            assert (await office.call(method, path, raw=b"[]", content_type=kind)).status_code == 422
        for encoding in ("gzip", "br", "gzip, identity", "nonsense"):
            assert (await office.call(method, path, raw=b"{}", content_encoding=encoding)).status_code == 415


async def test_a_body_where_none_belongs(office: Office) -> None:
    for method, path in targets(body=False):
        answer = await office.call(method, path, raw=b'{"broken')
        assert answer.status_code < 500


async def test_unknown_fields_are_named(office: Office) -> None:
    await office.set_up()
    for method, path in targets(body=True):
        assert "/nonsense~1~0x" in await office.faults(method, path, {"nonsense/~x": 1, "body": {}})
    for path in ("/api/webhooks", "/api/commands"):
        assert list(await office.faults("GET", f"{path}?nonsense=1", None)) == ["nonsense"]
        assert list(await office.faults("GET", f"{path}?limit=1&limit=2", None)) == ["limit"]


# What is sent as one field of an otherwise good account, and the pointer that must come back.
FIELDS: list[tuple[str, Any]] = [("id", ["a"])]
FIELDS += [("id", value) for value in ("", " ", "a b", "a/b", "é", "a" * 65, "a\n", "\x00", 7, None, LONG)]
FIELDS += [
    ("name", value) for value in ("", "a" * 201, "a\x00b", "a\u202eb", "a\u200bb", "\u2028", 7, None, LONG, ["a"])
]
FIELDS += [("public_key", value) for value in ("", "ABCDE", "ABCDEFG", "ABCDE\n", "ÅBCDEF", 123456, None, LONG)]
FIELDS += [
    ("private_key", value)
    for value in ("", "short", "pk with blank", "pk_line\nbreak", "pk_\x00nothing", "pk_é_not_ascii", 7, None, LONG)
]  # fmt: skip


async def test_each_field_of_an_account(office: Office) -> None:
    for name, value in FIELDS:
        answer = await office.call("POST", "/api/accounts", ACCOUNT | {name: value})
        assert answer.status_code == 422, (name, value)
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{name}"], (name, value)
        refuses_without_repeating(answer, value)
    assert (await office.ask("GET", "/api/accounts"))["items"] == []
    await office.ask("POST", "/api/accounts", ACCOUNT, 201)
    before = await snapshot_of(office, "/api/accounts/main")
    for name, value in FIELDS:
        if name != "id":
            change = {"name": "Changed", name: value}
            assert list(await office.faults("PATCH", "/api/accounts/main", change)) == [f"/{name}"]
    assert await snapshot_of(office, "/api/accounts/main") == before


async def snapshot_of(office: Office, path: str) -> Any:
    return await office.ask("GET", path)


def refuses_without_repeating(answer: httpx.Response, value: object) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 2_000
    if isinstance(value, str) and len(value) > 4:
        assert value not in answer.text
        assert json.dumps(value)[1:-1] not in answer.text


REJECTED = "rejected-value-4711"
SETTINGS: list[tuple[Mapping[str, Any], list[str]]] = [
    ({"base_currency": REJECTED}, ["/settings/base_currency"]),
    ({"base_currency": None}, ["/settings/base_currency"]),
    ({"base_currency": 7}, ["/settings/base_currency"]),
    ({REJECTED: 1}, [f"/settings/{REJECTED}"]),
    ({"timezone": "../../etc/passwd"}, ["/settings/timezone"]),
    ({"timezone": "Europe/\x00"}, ["/settings/timezone"]),
    ({"timezone": LONG}, ["/settings/timezone"]),
    ({"base_url": "http://gateway.example.com"}, ["/settings/base_url"]),
    ({"base_url": f"https://user:{REJECTED}@example.com"}, ["/settings/base_url"]),
    ({"base_url": "https://[::1"}, ["/settings/base_url"]),
    ({"base_url": "https://example.com:99999"}, ["/settings/base_url"]),
    ({"rates": {"EUR": 0}}, ["/settings/rates/EUR"]),
    ({"rates": {"EUR": "1e400"}}, ["/settings/rates/EUR"]),
    ({"rates": {"EUR": "NaN"}}, ["/settings/rates/EUR"]),
    ({"rates": [1]}, ["/settings/rates"]),
    ({"signature_tolerance": "300"}, ["/settings/signature_tolerance"]),
    ({"signature_tolerance": 300.5}, ["/settings/signature_tolerance"]),
    ({"use_short_product_name": "yes"}, ["/settings/use_short_product_name"]),
    ({"restrict": {"countries": ["SE", "sweden", "NO", 7]}},
     ["/settings/restrict/countries/1", "/settings/restrict/countries/3"]),
    ({"restrict": {"markets": ["a\x00b"]}}, ["/settings/restrict/markets/0"]),
    ({"cart_link": "https://example.com/no-placeholder"}, ["/settings/cart_link"]),
    ({"default_language": DEEP}, ["/settings/default_language"]),
    ({"base_currency": "X", "timezone": "Y", "language_from": "Z"},
     ["/settings/base_currency", "/settings/language_from", "/settings/timezone"]),
]  # fmt: skip


async def test_each_wrong_setting(office: Office) -> None:
    await office.set_up()
    before = await snapshot(office)
    for settings, pointers in SETTINGS:
        new = CONNECTION | {"id": "new", "settings": {"base_currency": "SEK", **settings}}
        for method, path, body in (
            ("POST", "/api/connections", new),
            ("PATCH", SHOP, {"name": "Changed", "account": None, "enabled": False, "settings": settings}),
            ("PUT", f"{SHOP}/scopes/store:1", {"settings": settings}),
        ):
            answer = await office.call(method, path, body)
            assert answer.status_code == 422, (method, settings, answer.text)
            found = sorted({fault["pointer"] for fault in answer.json()["errors"]})
            assert found == pointers, (method, settings)
            details = " ".join(fault["detail"] for fault in answer.json()["errors"])
            assert REJECTED not in details
            assert LONG not in answer.text
    assert await snapshot(office) == before


async def test_each_wrong_secret(office: Office) -> None:
    await office.set_up()
    before = await snapshot(office)
    for value in ("", 4711, True, ["a-list"], {"an": "object"}, "hidden\x00control", "hidden\u202edirection"):
        for method, path, rest in (("POST", "/api/connections", CONNECTION | {"id": "new"}), ("PATCH", SHOP, {})):
            answer = await office.call(method, path, rest | {"secrets": {"api_token": value}})
            assert answer.status_code == 422, (method, value)
            assert {fault["pointer"].split("/")[2] for fault in answer.json()["errors"]} == {"api_token"}
            assert "4711" not in answer.text
            assert "hidden" not in answer.text
    faults = await office.faults("PATCH", SHOP, {"secrets": {"endpoint-secret": "misspelt-secret"}})
    assert list(faults) == ["/secrets/endpoint-secret"]
    assert await snapshot(office) == before


async def test_every_fault_is_told_at_once(office: Office) -> None:
    wrong = {"id": "shop", "platform": "centra", "name": "Shop", "account": "nobody",
             "settings": {"base_currency": "X", "nonsense": 1}, "secrets": {"api_token": ""}}  # fmt: skip
    assert sorted(await office.faults("POST", "/api/connections", wrong)) == [
        "/account", "/secrets/api_token", "/settings/base_currency", "/settings/nonsense",
    ]  # fmt: skip
    assert sorted(await office.faults("POST", "/api/connections", wrong | {"platform": "none"})) == [
        "/account", "/platform",
    ]  # fmt: skip
    many = {"settings": {f"nonsense{n}": 1 for n in range(500)}}
    await office.set_up()
    answer = await office.call("PATCH", SHOP, many)
    assert len(answer.json()["errors"]) == 100


@pytest.mark.parametrize(
    "id_",
    ["a b", "a%00b", "%E9", "%ED%A0%80", "a" * 65, LONG[:5000], "..%2F", "%2e%2e", "a'--", "é", "%", "a%0Ab", "{x}"],
)
async def test_an_id_in_the_path_that_is_none(office: Office, id_: str) -> None:
    for method, path in (
        ("GET", f"/api/accounts/{id_}"), ("GET", f"/api/connections/{id_}"), ("GET", f"/api/webhooks/{id_}"),
        ("GET", f"/api/commands/{id_}"), ("GET", f"/api/connections/{id_}/scopes"), ("DELETE", f"/api/keys/{id_}"),
        ("GET", f"/api/connections/shop/scopes/{id_}"),
    ):  # fmt: skip
        assert (await office.call(method, path)).status_code in (404, 405, 422), (method, path)


async def test_a_number_in_the_path_that_is_none_of_ours(office: Office) -> None:
    for number in ("0", "00000000000000000007", str(2**63 - 1), str(2**63), "9" * 19, "9" * 40, "-1", "1.0", "٣", "²"):
        for path in (f"/api/webhooks/{number}", f"/api/commands/{number}"):
            assert (await office.call("GET", path)).status_code in (404, 422), path


async def test_parameters_that_are_none(office: Office) -> None:
    wrong = {
        "limit": ["", "0", "201", "-1", "1.5", "x", "9" * 30, "%00", "٣", "1e2"],
        "before": ["", "x", "-1", "9" * 20, str(2**63), "1.0", "%00", "null", "٣"],
        "state": ["", "x", "Mapped", "%00", LONG[:9000]],
        "connection": ["", "a b", "%00", "a" * 65, "%ED%A0%80"],
        "account": ["", "a b", "%00"],
        "name": ["", "a" * 129],
    }
    known = {"/api/webhooks": ("limit", "before", "state", "connection"),
             "/api/commands": ("limit", "before", "state", "account", "name")}  # fmt: skip
    for path, names in known.items():
        for name in names:
            for value in wrong[name]:
                assert list(await office.faults("GET", f"{path}?{name}={value}", None)) == [name], (name, value)
    for fine in ("%00", "%ED%A0%80", "'; DROP TABLE commands; --", "%25"):
        assert (await office.ask("GET", f"/api/commands?name={fine}"))["items"] == []
    for broken in ("%", "&&&", "=", "=&=", "%zz=1"):
        assert (await office.call("GET", f"/api/commands?{broken}")).status_code in (200, 422)
