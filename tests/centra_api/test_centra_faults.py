"""A Centra that fails, lies or leads astray: a short retry, a later one, or words for the operator."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from starlette.responses import Response

from app import http
from app.errors import FetchFailed
from app.mappers.centra.api import CentraApi
from app.mappers.centra.sandbox import create_stand_in
from app.mappers.source import Need
from tests.centra_api.centra_stage import SECRETS, Clock, Shop, Stage, staged
from tests.http.raw_server import Seen, answering, read_request, serving


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = Clock()
    async with staged(create_stand_in(clock=clock), clock) as made:
        await made.fetch("customer", 880101)  # the limits are learned
        made.stand_in.asked.clear()
        yield made


async def failed(stage: Stage) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        await stage.fetch("customer", 880101)
    return caught.value


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
async def test_one_failure_is_repaired_at_once(stage: Stage, status: int) -> None:
    stage.stand_in.faults.append(Response(b"<html>oops", status))
    assert await stage.fetch("customer", 880101)
    assert len(stage.clock.slept) == 1
    assert stage.clock.slept[0] <= 1


async def test_three_tries_and_then_the_schedule(stage: Stage) -> None:
    stage.stand_in.faults.extend(Response(b"", 500) for _ in range(5))
    error = await failed(stage)
    assert "answers HTTP 500" in str(error)
    assert (error.operator, error.retry_after) == (False, None)
    assert len(stage.stand_in.faults) == 2
    assert sum(stage.clock.slept) <= 3


async def test_a_long_retry_after_is_left_to_the_schedule(stage: Stage) -> None:
    stage.stand_in.faults.extend(Response(b"", 503, {"retry-after": "120"}) for _ in range(3))
    error = await failed(stage)
    assert error.retry_after == 120
    assert len(stage.stand_in.faults) == 2
    assert stage.clock.slept == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Maintenance</title>",
        b'{"data": {"customers": [{"id": 88',
        b"[]",
        b'"text"',
        b"null",
        b'{"data": 5}',
        b'{"data": {"customers": 5}}',
        b'{"data": {"customers": [5]}}',
        b'{"errors": "yes"}',
        b'{"errors": [{}]}',
        b'{"data": {"customers": [NaN]}}',
        b"\xff\xfe",
        b"{" * 100_000,
    ],
)
async def test_200_that_is_no_answer(stage: Stage, body: bytes) -> None:
    stage.stand_in.faults.extend(Response(body, 200, media_type="text/html") for _ in range(3))
    error = await failed(stage)
    assert "does not answer as Centra's Integration API does (text/html" in str(error)
    assert not error.operator
    assert not stage.stand_in.faults


@pytest.mark.parametrize("body", [b"{}", b'{"data": null}', b'{"data": null, "errors": []}'])
async def test_neither_data_nor_errors(stage: Stage, body: bytes) -> None:
    stage.stand_in.faults.append(Response(body, 200))
    assert "neither with data nor with an error" in str(await failed(stage))


async def test_an_error_without_data_is_told_as_it_is(stage: Stage) -> None:
    body = b'{"errors": [{"message": "Internal server error", "extensions": {"category": "internal"}}]}'
    stage.stand_in.faults.append(Response(body, 200))
    error = await failed(stage)
    assert "Internal server error" in str(error)
    assert not error.operator


async def test_an_error_beside_data_spoils_it(stage: Stage) -> None:
    body = b'{"data": {"customers": [{"id": 5}]}, "errors": [{"message": "Timeout", "locations": [{"line": 1}]}]}'
    stage.stand_in.faults.append(Response(body, 200))
    assert "Timeout" in str(await failed(stage))


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_for_the_operator(stage: Stage, status: int) -> None:
    stage.stand_in.faults.append(Response(b"", status))
    error = await failed(stage)
    assert error.operator
    assert f"refuses the API token (HTTP {status}): it has expired, was revoked or is mistyped" in str(error)
    assert "System > API Tokens" in str(error)
    assert stage.clock.slept == []


async def test_a_token_that_expires_meanwhile(stage: Stage) -> None:
    stage.stand_in.tokens.clear()
    error = await failed(stage)
    assert error.operator
    assert stage.operations == []


@pytest.mark.parametrize("status", [400, 404, 405, 410])
async def test_a_wrong_address_is_for_the_operator(stage: Stage, status: int) -> None:
    stage.stand_in.faults.append(Response(b"<html>", status, media_type="text/html"))
    error = await failed(stage)
    assert error.operator
    assert "is base_url the address" in str(error)


async def test_json_of_something_else_is_for_the_operator(stage: Stage) -> None:
    stage.stand_in.faults.append(Response(b'{"message": "no such shop"}', 404))
    error = await failed(stage)
    assert error.operator
    assert "answers HTTP 404" in str(error)


async def test_400_with_graphql_errors_is_read(stage: Stage) -> None:
    body = b'{"errors": [{"message": "You need Customer:read permission to access customers."}]}'
    stage.stand_in.faults.append(Response(body, 400))
    error = await failed(stage)
    assert error.operator
    assert "lacks permissions: Customer:read" in str(error)


async def test_a_redirect_to_the_metadata_service_is_not_followed(stage: Stage) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as canary:
        for target in ("http://169.254.169.254/latest/meta-data/", f"http://127.0.0.1:{canary.port}/"):
            stage.stand_in.faults.append(Response(b"", 307, {"location": target}))
            error = await failed(stage)
            assert error.operator
            assert "answers HTTP 307" in str(error)
    assert canary.connections == 0


# -- on the wire --------------------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def ask(seen: Seen) -> FetchFailed:
    clock = Clock()
    async with http.create_client() as client:
        api = CentraApi(client, clock=clock, monotonic=clock, sleep=clock.sleep, deadline=0.3)
        with pytest.raises(FetchFailed) as caught:
            await api.fetch(Need("order", "50211"), Shop(f"http://127.0.0.1:{seen.port}"), SECRETS)
    return caught.value


async def slow_loris(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def hangs_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)


@pytest.mark.parametrize(
    ("story", "text"), [(slow_loris, "no complete answer within 0.3 s"), (hangs_up, "connection was lost")]
)
async def test_silence(story: Callable[..., Awaitable[None]], text: str) -> None:
    async with serving(story) as seen:
        error = await ask(seen)
    assert text in str(error)
    assert not error.operator
    assert seen.connections == 3


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"\r\n" + b" " * 1_048_577,
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 64 * 1024 * 1024),
    ],
    ids=["oversized", "gzip-bomb"],
)
async def test_more_than_a_mebibyte(raw: bytes) -> None:
    async with answering(raw) as seen:
        error = await ask(seen)
    assert "larger than 1048576 bytes" in str(error)


async def test_nobody_there() -> None:
    async with answering(b"") as seen:
        pass
    error = await ask(seen)
    assert "cannot be asked: no connection" in str(error)
    assert not error.operator


async def test_a_guarded_client_refuses_an_address_inside() -> None:
    async with answering(b"") as seen, http.create_client(guarded=True) as client:
        with pytest.raises(FetchFailed, match="may not be called") as caught:
            await CentraApi(client).fetch(Need("order", "5"), Shop(f"https://127.0.0.1:{seen.port}"), SECRETS)
    assert caught.value.operator
    assert seen.connections == 0


async def test_the_token_is_sent_and_never_told() -> None:
    async with answering(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n") as seen:
        error = await ask(seen)
    assert b"authorization: bearer stand-in-token" in seen.requests[0].lower()
    assert "stand-in-token" not in str(error)
