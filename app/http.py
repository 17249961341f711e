"""The only way out: a call that ends in time, keeps its answer small and goes only where it may.

Nothing else imports httpx. Calls go through its aiohttp transport without ``httpx.AsyncClient`` around it: 250 µs of
CPU a call instead of 430 (2,850 with httpx's own transport), and redirects, cookies, netrc, proxies from the
environment and request lines in the log are not switched off but absent.
"""

from __future__ import annotations

import asyncio
import socket
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import TracebackType

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from app.errors import GatewayError

ANSWER_CAP = 1024 * 1024
CONNECT_SECONDS = 5.0
HTTPS_PORT = 443  # the only port a guarded client calls
RESOLVE_SECONDS = 2.0
DEADLINE_SECONDS = 30.0

_HEADERS = {"user-agent": f"klaviyo-gateway/{version('klaviyo-gateway')}", "accept-encoding": "gzip"}
# aiohttp writes bytes in one go and warns above 1 MiB, because the event loop stands still meanwhile.
_LARGE_BODY = 256 * 1024
_SLICE = 64 * 1024
_GZIP = 31  # zlib's word for: a gzip header and trailer around the stream

_NAT64 = ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ip_network("2000::/3")
# Called global by the standard library although they lead to a tunnel, to this host or nowhere.
_NEVER = tuple(ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20"))


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Header names are lower-case; ``body`` is decompressed and at most 1 MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(GatewayError):
    """Nothing left this machine: no address, no connection, no valid certificate. Safe to call again."""

    code = "not_sent"
    retryable = True


class ForbiddenUrl(NotSent):
    """A guarded client may not go there; trying again does not help."""

    code = "forbidden_url"
    retryable = False


class Unknown(GatewayError):
    """The request may have been carried out, but no complete answer came: timeout, reset, cut off, too large.

    ``answered`` is the HTTP status when the head of the answer had arrived, else None.
    """

    code = "unknown_outcome"
    retryable = True

    def __init__(self, detail: str, answered: int | None = None) -> None:
        super().__init__(detail)
        self.answered = answered


class Client:
    """Connections to the outside, shared by many calls. Made by ``create_client``, used by ``send``."""

    def __init__(self, transport: AiohttpTransport, *, guarded: bool, allow_private: Collection[str]) -> None:
        self.transport = transport
        self.guarded = guarded
        self.allow_private = allow_private

    async def aclose(self) -> None:
        await self.transport.aclose()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def create_client(
    *, connections: int = 100, guarded: bool = False, allow_private: Collection[str] = frozenset()
) -> Client:
    """A client with at most ``connections`` open ones; a call waits up to 5 s for a free one.

    Certificates are always verified (certifi's roots). A ``guarded`` client is for URLs an outsider may choose: https
    on port 443 only, no user info, every address the name resolves to must be public, and the connection goes to an
    address that was checked. ``allow_private`` lists IP addresses exempt from that, any port and plain http: for tests.
    """

    def open_session() -> aiohttp.ClientSession:  # needs a running loop, so the transport opens it at the first call
        gate = _Gate(allow_private) if guarded else None
        connector = aiohttp.TCPConnector(
            limit=connections,
            ssl=transport.ssl_context,
            resolver=_Resolver(gate),
            socket_factory=gate.open_socket if gate else None,
        )
        return aiohttp.ClientSession(connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())

    transport = AiohttpTransport(client=open_session, trust_env=False)
    return Client(transport, guarded=guarded, allow_private=allow_private)


async def send(
    client: Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    deadline: float = DEADLINE_SECONDS,
) -> Answer:
    """One call; ``deadline`` in seconds holds for all of it: waiting, connecting, sending, a dribbling body.

    Any status is an answer, also 3xx: redirects are never followed. Raises ``NotSent``, ``ForbiddenUrl``, ``Unknown``.
    """
    connect = min(CONNECT_SECONDS, deadline)
    answered: int | None = None
    try:
        request = _request(method, url, {**_HEADERS, **(headers or {})}, content, connect)
        if client.guarded:
            _check_url(request.url, client.allow_private)
        async with asyncio.timeout(deadline):
            response = await client.transport.handle_async_request(request)
            answered = response.status_code
            try:
                body = await _read(response)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise Unknown(f"no complete answer within {deadline:g} s", answered) from error
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, ValueError) as error:
        raise _translated(error, answered) from error
    return Answer(answered, dict(response.headers.items()), body)


def _request(method: str, url: str, headers: dict[str, str], content: bytes | None, connect: float) -> httpx.Request:
    limits = {"timeout": {"connect": connect, "pool": connect}}
    if content is None or len(content) <= _LARGE_BODY:
        return httpx.Request(method, url, headers=headers, content=content, extensions=limits)

    async def slices() -> AsyncIterator[bytes]:
        for start in range(0, len(content), _SLICE):
            yield content[start : start + _SLICE]

    headers["content-length"] = str(len(content))
    return httpx.Request(method, url, headers=headers, content=slices(), extensions=limits)


async def _read(response: httpx.Response) -> bytes:
    """The body, decompressed, never more than a chunk beyond the cap in memory."""
    assert isinstance(response.stream, AsyncIterable)  # noqa: S101 httpx types it as sync or async
    encoding = response.headers.get("content-encoding", "").lower() or "identity"
    if encoding not in ("identity", "gzip"):
        raise Unknown(f"the answer is encoded as {encoding!r}, which was not asked for", response.status_code)
    inflate = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body = bytearray()
    begun = False
    async for chunk in response.stream:
        begun = True
        try:
            # One byte more than allowed tells a full answer from a too large one.
            body += inflate.decompress(chunk, ANSWER_CAP + 1 - len(body)) if inflate else chunk
        except zlib.error as error:
            raise Unknown("the answer's gzip is broken", response.status_code) from error
        if len(body) > ANSWER_CAP:
            raise Unknown(f"the answer is larger than {ANSWER_CAP} bytes", response.status_code)
    if inflate and begun and (not inflate.eof or inflate.unused_data):
        raise Unknown("the answer's gzip is cut off or followed by something else", response.status_code)
    return bytes(body)


def _translated(  # noqa: PLR0911 one line for each way to fail
    error: Exception, answered: int | None
) -> NotSent | Unknown:
    """Decides by aiohttp's own exception: the transport calls a lost connection a connect timeout too.

    Texts are ours: aiohttp's contain the URL, and its query may hold an e-mail address.
    """
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    match cause:
        case aiohttp.ClientConnectorError(os_error=ForbiddenAddress() as refusal):
            return ForbiddenUrl(str(refusal))
        case aiohttp.ClientConnectorDNSError():
            return NotSent("the host name does not resolve")
        case aiohttp.ClientConnectorCertificateError():
            return NotSent(
                f"the certificate is not valid: {getattr(cause.os_error, 'verify_message', 'unknown reason')}"
            )
        case aiohttp.ClientSSLError():
            return NotSent("the TLS handshake failed")
        case aiohttp.ClientConnectorError():
            return NotSent(f"no connection: {cause.os_error.strerror or cause.os_error}")
        case aiohttp.ConnectionTimeoutError():
            return NotSent(f"no connection within {CONNECT_SECONDS:g} s")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return NotSent("this is no URL that can be called")
        case ValueError() if answered is None:
            return NotSent("a header or the URL holds a character that cannot be sent")
        case aiohttp.ClientPayloadError():
            return Unknown("the answer was cut off", answered)
        case _:
            return Unknown(f"the connection was lost ({type(cause).__name__})", answered)


class ForbiddenAddress(OSError):
    """An address that a guarded client must not connect to; an OSError, so that aiohttp carries it out."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet.

    ``is_global`` alone lets through multicast, NAT64 of private addresses and tunnels (facts: reliability 4.5).
    """
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in _NEVER)


def _check_url(url: httpx.URL, allow_private: Collection[str]) -> None:
    """What only the text can tell; the address is judged when it is known."""
    if url.userinfo:
        raise ForbiddenUrl("a URL with a user name or password is not called")
    if url.host not in allow_private and (url.scheme != "https" or (url.port or 443) != HTTPS_PORT):
        raise ForbiddenUrl("only https on port 443 is called")


@dataclass(frozen=True, slots=True)
class _Gate:
    """Judges addresses, never text: the resolver reads ``127.1`` and ``2130706433`` as 127.0.0.1."""

    allow_private: Collection[str]

    def check(self, address: str) -> None:
        if address not in self.allow_private and not is_public(address):
            raise ForbiddenAddress("the host leads to an address that is not public")

    def open_socket(self, target: aiohttp.AddrInfoType) -> socket.socket:
        """Called for every single connection, also to an address written into the URL, which no resolver sees."""
        family, kind, protocol, _, (address, port, *_) = target
        self.check(address)
        if port != HTTPS_PORT and address not in self.allow_private:
            raise ForbiddenAddress("only port 443 is called")
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """The system's resolver with a time limit; behind a gate one bad address spoils the whole name."""

    def __init__(self, gate: _Gate | None) -> None:
        self._resolver = aiohttp.ThreadedResolver()
        self._gate = gate

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await self._resolver.resolve(host, port, family)
        if self._gate:
            for result in found:
                self._gate.check(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()
