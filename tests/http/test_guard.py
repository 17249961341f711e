"""A guarded client reaches nothing that is not public, however its URL is written."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp.abc import ResolveResult

from app import http
from tests.http.raw_server import Seen, serving

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "193.0.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.10",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

# {p} is the port of a listener on the loopback addresses, which counts who comes.
FORBIDDEN_URLS = [
    "https://127.0.0.1:{p}/",
    "https://127.0.0.2:{p}/",
    "https://127.1:{p}/",
    "https://127.0.1:{p}/",
    "https://2130706433:{p}/",
    "https://0x7f000001:{p}/",
    "https://0x7f.1:{p}/",
    "https://0x7f.0x0.0x0.0x1:{p}/",
    "https://0177.0.0.1:{p}/",
    "https://0177.1:{p}/",
    "https://017700000001:{p}/",
    "https://127.0.0.01:{p}/",
    "https://127.0.0.1.:{p}/",
    "https://①②⑦.⓪.⓪.①:{p}/",
    "https://127。0。0。1:{p}/",
    "https://１２７.0.0.1:{p}/",
    "https://%31%32%37.0.0.1:{p}/",
    "https://0.0.0.0:{p}/",
    "https://0:{p}/",
    "https://localhost:{p}/",
    "https://LOCALHOST:{p}/",
    "https://LocalHost.:{p}/",
    "https://ｌｏｃａｌｈｏｓｔ:{p}/",
    "https://[::1]:{p}/",
    "https://[0:0:0:0:0:0:0:1]:{p}/",
    "https://[0000::0001]:{p}/",
    "https://[::]:{p}/",
    "https://[::ffff:127.0.0.1]:{p}/",
    "https://[::ffff:7f00:1]:{p}/",
    "https://[::127.0.0.1]:{p}/",
    "https://[64:ff9b::7f00:1]:{p}/",
    "https://[2002:7f00:1::]:{p}/",
    "https://[fe80::1%25lo]:{p}/",
    "https://[fe80::1%lo]:{p}/",
    "https://10.0.0.1:{p}/",
    "https://100.64.0.1:{p}/",
    "https://169.254.169.254:{p}/latest/meta-data/",
    "https://[fd00:ec2::254]:{p}/",
    "https://192.168.1.1:{p}/",
    "https://224.0.0.1:{p}/",
    "https://255.255.255.255:{p}/",
    "http://127.0.0.1:{p}/",
    "http://localhost:{p}/",
    "http://shop.example/",
    "http://shop.example:443/",
    "HTTP://shop.example/",
    "https://shop.example:80/",
    "https://shop.example:22/",
    "https://shop.example:8443/",
    "https://shop.example:0/",
    "https://shop.example:65536/",
    "https://shop.example:-1/",
    "https://shop.example:4 43/",
    "https://user@shop.example/",
    "https://user:password@shop.example/",
    "https://:password@shop.example/",
    "https://shop.example@127.0.0.1:{p}/",
    "https://shop.example:443@127.0.0.1:{p}/",
    "https://127.0.0.1:{p}@shop.example/",
    "https://shop.example%40127.0.0.1:{p}/",
    "https://127.0.0.1:{p}#@shop.example/",
    "https://127.0.0.1:{p}?@shop.example/",
    "https://127.0.0.1:{p}\\@shop.example/",
    "https://shop.example\\@127.0.0.1:{p}/",
    "https:\\\\127.0.0.1:{p}/",
    "https:127.0.0.1:{p}/",
    "https:/127.0.0.1:{p}/",
    "https:///127.0.0.1:{p}/",
    "//127.0.0.1:{p}/",
    "127.0.0.1:{p}",
    "ftp://127.0.0.1:{p}/",
    "ws://127.0.0.1:{p}/",
    "wss://127.0.0.1:{p}/",
    "gopher://127.0.0.1:{p}/",
    "file:///etc/passwd",
    "unix:///var/run/docker.sock",
    "javascript:alert(1)",
    "data:text/plain,x",
    "dict://127.0.0.1:{p}/",
    "https://",
    "https:///",
    "https://:443/",
    "https://.:{p}/",
    "https://[::1/",
    "https://[v1.x]:{p}/",
    "https://[127.0.0.1]:{p}/",
    "https://127.0.0.1\t:{p}/",
    "https://127.0.0.1\n:{p}/",
    "https://127.0.0.1\r\nHost: x:{p}/",
    "https://127.0.0.1%00.shop.example:{p}/",
    "https://127.0.0.1\0.shop.example:{p}/",
    " https://127.0.0.1:{p}/",
    "https://shop example/",
    "https://-:{p}/",
    "https://xn--/",
    "https://" + "a" * 300 + ".example/",
    "",
    " ",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert http.is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address: str) -> None:
    assert not http.is_public(address)


async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@contextlib.asynccontextmanager
async def canary(monkeypatch: pytest.MonkeyPatch, host: str = "127.0.0.1") -> AsyncIterator[Seen]:
    """A listener on the port that guarded clients call, so that only the address can be what stops them."""
    async with serving(listen, host=host) as seen:
        monkeypatch.setattr(http, "HTTPS_PORT", seen.port)
        yield seen


def test_enough_forms_are_tried() -> None:
    assert len({*PUBLIC, *NOT_PUBLIC, *FORBIDDEN_URLS}) >= 80


async def test_the_canary_sees_a_client_without_a_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with canary(monkeypatch) as seen, http.create_client() as client:
        for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"):
            with pytest.raises((http.Unknown, http.NotSent)):
                await http.send(client, "GET", f"https://{host}:{seen.port}/", deadline=0.3)
    assert seen.connections == 4


async def test_no_form_of_a_url_reaches_the_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    went_wrong = []
    async with canary(monkeypatch) as seen, http.create_client(guarded=True) as client:
        for form in FORBIDDEN_URLS:
            url = form.replace("{p}", str(seen.port))
            try:
                went_wrong.append((url, await http.send(client, "GET", url, deadline=3)))
            except http.NotSent:
                continue
    assert went_wrong == []
    assert seen.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/",
        "http://1.1.1.1:443/",
        "ftp://1.1.1.1:443/",
        "https://1.1.1.1:80/",
        "https://1.1.1.1:8443/",
        "https://user@1.1.1.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://169.254.169.254/",
    ],
)
async def test_what_is_forbidden_is_called_so(url: str) -> None:
    async with http.create_client(guarded=True) as client:
        with pytest.raises(http.ForbiddenUrl):
            await http.send(client, "GET", url, deadline=3)


async def test_no_form_of_a_url_reaches_the_canary_over_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.suppress(OSError):
        async with canary(monkeypatch, "::1") as seen, http.create_client(guarded=True) as client:
            for host in ("[::1]", "localhost", "[::]", "ip6-localhost", "[0:0::1]"):
                with pytest.raises(http.NotSent):
                    await http.send(client, "GET", f"https://{host}:{seen.port}/", deadline=3)
            assert seen.connections == 0


def resolving(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """The resolver's answers, one list per look-up; returns the names that were looked up."""
    asked: list[str] = []
    answers: Iterator[list[str]] = iter(rounds)

    async def resolve(_: object, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        asked.append(host)
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in next(answers)
        ]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", resolve)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.5"],
        ["1.1.1.1", "127.0.0.1"],
        ["127.0.0.1", "1.1.1.1"],
        ["2606:4700:4700::1111", "::1"],
        ["64:ff9b::7f00:1"],
        ["169.254.169.254"],
    ],
)
async def test_one_bad_address_spoils_the_name(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    resolving(monkeypatch, addresses)
    async with canary(monkeypatch) as seen, http.create_client(guarded=True) as client:
        with pytest.raises(http.ForbiddenUrl, match="not public") as caught:
            await http.send(client, "GET", f"https://shop.example:{seen.port}/", deadline=3)
    assert seen.connections == 0
    assert not caught.value.retryable


async def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    async with canary(monkeypatch) as seen, http.create_client(guarded=True, allow_private={"127.0.0.1"}) as client:
        with pytest.raises((http.Unknown, http.NotSent)):
            await http.send(client, "GET", f"https://rebinding.example:{seen.port}/", deadline=0.3)
    assert asked == ["rebinding.example"]
    assert seen.connections == 1


async def test_every_new_connection_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr("aiohttp.connector._DNSCacheTable.expired", lambda *_: True)
    async with canary(monkeypatch) as seen, http.create_client(guarded=True, allow_private={"127.0.0.1"}) as client:
        url = f"https://rebinding.example:{seen.port}/"
        with pytest.raises((http.Unknown, http.NotSent)):
            await http.send(client, "GET", url, deadline=0.3)
        with pytest.raises(http.ForbiddenUrl):
            await http.send(client, "GET", url, deadline=3)
    assert seen.connections == 1


async def test_tests_may_allow_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.read()

    async with serving(story) as seen, http.create_client(guarded=True, allow_private={"127.0.0.1"}) as client:
        assert (await http.send(client, "GET", f"http://127.0.0.1:{seen.port}/")).status == 200
        with pytest.raises(http.ForbiddenUrl):
            await http.send(client, "GET", f"http://127.0.0.2:{seen.port}/")
        with pytest.raises(http.ForbiddenUrl):
            await http.send(client, "GET", f"http://u:p@127.0.0.1:{seen.port}/")
    assert seen.connections == 1
