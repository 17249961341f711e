"""What a call makes of good, slow, huge, broken and hostile answers."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import logging
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app import http
from tests.http.raw_server import answering, read_request, serving

MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[http.Client]:
    async with http.create_client() as made:
        yield made


async def test_answer_and_request_as_they_are_on_the_wire(client: http.Client) -> None:
    raw = b"HTTP/1.1 202 Accepted\r\nRateLimit-Remaining: 7\r\nContent-Length: 4\r\n\r\nbody"
    async with answering(raw) as seen:
        answer = await http.send(client, "POST", seen.url, headers={"X-Key": "k"}, content=b'{"a":1}')
    assert answer.status == 202
    assert answer.headers["ratelimit-remaining"] == "7"
    assert answer.body == b"body"
    head, body = seen.requests[0].split(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /path?q=secret@example.com http/1.1"
    assert body == b'{"a":1}'
    assert b"x-key: k" in lines
    assert b"content-length: 7" in lines
    assert b"accept-encoding: gzip" in lines
    assert any(line.startswith(b"user-agent: klaviyo-gateway/") for line in lines)


async def test_a_large_body_arrives_whole(client: http.Client) -> None:
    body = bytes(range(256)) * 18_000  # Klaviyo: a bulk request may have 5 MB
    async with answering(OK + b"Content-Length: 0\r\n\r\n") as seen:
        await http.send(client, "POST", seen.url, content=body)
    head, _, sent = seen.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    assert b"content-length: 4608000" in head.lower()
    assert b"transfer-encoding" not in head.lower()


async def test_connections_are_used_again(client: http.Client) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    async with serving(story) as seen:
        for _ in range(5):
            assert (await http.send(client, "POST", seen.url, content=b"x")).status == 202
    assert seen.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_answers_and_never_followed(client: http.Client, status: int) -> None:
    async with answering(OK + b"\r\n") as elsewhere:
        target = elsewhere.url.encode()
        raw = b"HTTP/1.1 %d Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, target)
        async with answering(raw) as seen:
            assert (await http.send(client, "POST", seen.url, content=b"x")).status == status
            assert (await http.send(client, "GET", seen.url)).status == status
    assert elsewhere.connections == 0


async def test_proxies_and_netrc_of_the_environment_are_ignored(
    client: http.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with answering(OK + b"\r\n") as proxy, answering(OK + b"Content-Length: 0\r\n\r\n") as seen:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await http.send(client, "GET", seen.url)).status == 200
    assert proxy.connections == 0
    assert b"authorization" not in seen.requests[0].lower()


async def test_cookies_are_not_kept(client: http.Client) -> None:
    async with answering(OK + b"Set-Cookie: tenant=one; Path=/\r\nContent-Length: 0\r\n\r\n") as seen:
        await http.send(client, "GET", seen.url)
        await http.send(client, "GET", seen.url)
    assert len(seen.requests) == 2
    assert b"cookie" not in seen.requests[1].lower()


async def test_nothing_of_the_url_is_logged(client: http.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(OK + b"Content-Length: 0\r\n\r\n") as seen:
        await http.send(client, "GET", seen.url)
    assert "secret@example.com" not in caplog.text


# -- not sent -----------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_refused_connection_is_not_sent(client: http.Client) -> None:
    with pytest.raises(http.NotSent, match="no connection"):
        await http.send(client, "POST", f"http://127.0.0.1:{free_port()}/", content=b"x")


async def test_unknown_host_is_not_sent(client: http.Client) -> None:
    with pytest.raises(http.NotSent, match=r"does not resolve|no connection"):
        await http.send(client, "POST", "https://nothing.invalid/?email=secret@example.com", content=b"x")


async def test_a_resolver_that_hangs_is_not_sent(client: http.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", hang)
    monkeypatch.setattr(http, "RESOLVE_SECONDS", 0.1)
    begun = time.monotonic()
    with pytest.raises(http.NotSent):
        await http.send(client, "POST", "https://slow.example/", content=b"x")
    assert time.monotonic() - begun < 2


async def test_a_handshake_that_hangs_is_not_sent(client: http.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    async with serving(story) as seen:
        with pytest.raises(http.NotSent, match="no connection within"):
            await http.send(client, "POST", f"https://127.0.0.1:{seen.port}/", content=b"x")


async def test_waiting_for_a_free_connection_ends_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    async def story(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    async with http.create_client(connections=1) as client, serving(story) as seen:
        first = asyncio.create_task(http.send(client, "POST", seen.url, content=b"1", deadline=1.0))
        await asked.wait()
        with pytest.raises(http.NotSent):
            await http.send(client, "POST", seen.url, content=b"2")
        with pytest.raises(http.Unknown):
            await first
    assert seen.connections == 1


@pytest.mark.parametrize("url", ["", "shop.example", "ftp://127.0.0.1/", "http://", "https://[::1", "http://a b/"])
async def test_what_is_no_url_is_not_sent(client: http.Client, url: str) -> None:
    with pytest.raises(http.NotSent):
        await http.send(client, "POST", url, content=b"x")


@pytest.mark.parametrize("value", ["key\nInjected: yes", "key\r\n", "schlüssel\u2603"])
async def test_a_header_that_cannot_be_sent_is_not_told(client: http.Client, value: str) -> None:
    async with answering(OK + b"Content-Length: 0\r\n\r\n") as seen:
        with pytest.raises(http.NotSent) as caught:
            await http.send(client, "POST", seen.url, headers={"authorization": value}, content=b"x")
    assert value[:3] not in str(caught.value)
    assert not seen.requests


def certificate(tmp_path: Path, host: str, *, days: int) -> tuple[ssl.SSLContext, Path]:
    """A server context with a fresh self-signed certificate for ``host``, and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = tmp_path / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context, file


@pytest.mark.parametrize(
    ("host", "days", "trusted"),
    [("localhost", 30, True), ("localhost", 30, False), ("localhost", -1, True), ("other.example", 30, True)],
    ids=["valid", "self-signed", "expired", "wrong-host"],
)
async def test_certificates_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, days: int, trusted: bool
) -> None:
    sent = (host, days, trusted) == ("localhost", 30, True)
    tls, file = certificate(tmp_path, host, days=days)
    if trusted:
        monkeypatch.setattr("certifi.where", lambda: str(file))
    else:  # the environment must not be able to add a root
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with http.create_client() as client, answering(OK + b"Content-Length: 2\r\n\r\nhi", tls=tls) as seen:
        call = http.send(client, "POST", f"https://localhost:{seen.port}/", content=b"x")
        if sent:
            assert (await call).body == b"hi"
        else:
            with pytest.raises(http.NotSent, match="certificate is not valid"):
                await call
    assert len(seen.requests) == int(sent)


async def test_plain_http_behind_an_https_url_is_not_sent(client: http.Client) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serving(story) as seen:
        with pytest.raises(http.NotSent, match="TLS"):
            await http.send(client, "POST", f"https://127.0.0.1:{seen.port}/", content=b"x")


# -- unknown ------------------------------------------------------------------------------------------------------


async def drip(writer: asyncio.StreamWriter, what: bytes) -> None:
    while True:
        writer.write(what)
        await writer.drain()
        await asyncio.sleep(0.02)


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await reader.read()


async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(OK)
    await drip(writer, b"X-A: b\r\n")


async def endless_hints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await drip(writer, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    await drip(writer, b"x")


async def reads_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def answers_before_reading(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 10\r\n\r\n")
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("story", "answered"),
    [
        (never, None),
        (slow_head, None),
        (endless_hints, None),
        (slow_body, 200),
        (reads_nothing, None),
        (answers_before_reading, 200),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_one_deadline_holds_for_everything(client: http.Client, story: object, answered: int | None) -> None:
    assert callable(story)
    async with serving(story) as seen:
        begun = time.monotonic()
        with pytest.raises(http.Unknown, match=r"within 0\.4 s") as caught:
            await http.send(client, "POST", seen.url, content=b"x" * 8 * MIB, deadline=0.4)
        assert time.monotonic() - begun < 1.5
    assert caught.value.answered == answered


@pytest.mark.parametrize(
    ("raw", "answered"),
    [
        (b"", None),
        (b"HTTP/1.1 2", None),
        (b"SSH-2.0-OpenSSH_9.6\r\n", None),
        (b"HTTP/1.1 200 OK\r\nX-Large: " + b"a" * 70_000 + b"\r\n\r\n", None),
        (OK + b"Content-Length: 10\r\n\r\nhalf", 200),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 200),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n", None),
        (OK + b"Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd", 200),
        (OK + b"Content-Encoding: gzip\r\n\r\nno gzip at all", 200),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"whole")[:-4], 200),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"whole") + b"more", 200),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf", 202),
    ],
)
async def test_incomplete_and_unreadable_answers_are_unknown(
    client: http.Client, raw: bytes, answered: int | None
) -> None:
    async with answering(raw) as seen:
        with pytest.raises(http.Unknown) as caught:
            await http.send(client, "POST", seen.url, content=b"x")
    assert caught.value.answered == answered
    assert "secret@example.com" not in str(caught.value)
    assert len(seen.requests) == 1  # a write is never repeated behind the caller's back


async def test_a_reset_is_unknown(client: http.Client) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with serving(story) as seen:
        with pytest.raises(http.Unknown, match="lost"):
            await http.send(client, "POST", seen.url, content=b"x")
    assert seen.connections == 1


@pytest.mark.parametrize("zipped", [False, True])
async def test_the_cap_is_exactly_one_mebibyte(client: http.Client, zipped: bool) -> None:
    encoding = b"Content-Encoding: gzip\r\n" if zipped else b""
    pack = gzip.compress if zipped else bytes
    async with answering(OK + encoding + b"\r\n" + pack(b"a" * MIB)) as seen:
        assert (await http.send(client, "GET", seen.url)).body == b"a" * MIB
    async with answering(OK + encoding + b"\r\n" + pack(b"a" * (MIB + 1))) as seen:
        with pytest.raises(http.Unknown, match="larger than 1048576 bytes") as caught:
            await http.send(client, "GET", seen.url)
    assert caught.value.answered == 200


async def test_a_gzip_bomb_stops_at_the_cap(client: http.Client) -> None:
    bomb = gzip.compress(b"\0" * 256 * MIB)
    async with answering(OK + b"Content-Encoding: gzip\r\n\r\n" + bomb) as seen:
        tracemalloc.start()
        try:
            with pytest.raises(http.Unknown, match="larger"):
                await http.send(client, "GET", seen.url)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * MIB


async def test_an_endless_answer_stops_at_the_cap(client: http.Client) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serving(story) as seen:
        with pytest.raises(http.Unknown, match="larger"):
            await http.send(client, "GET", seen.url, deadline=20)


async def test_an_empty_answer_may_claim_gzip(client: http.Client) -> None:
    async with answering(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n") as seen:
        assert (await http.send(client, "GET", seen.url)).body == b""


async def test_a_cancelled_call_leaves_a_working_client(client: http.Client) -> None:
    arrived = asyncio.Event()

    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        if seen.connections == 1:
            await reader.read()
        if seen.connections == 2:
            writer.write(OK + b"Content-Length: 100\r\n\r\n")
            await drip(writer, b"x")
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        await reader.read()

    async with serving(story) as seen:
        for _ in range(2):
            task = asyncio.create_task(http.send(client, "POST", seen.url, content=b"x"))
            await arrived.wait()
            arrived.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await http.send(client, "POST", seen.url, content=b"x")).status == 200
