"""The stand-in behaves as Centra is documented to, whoever asks; the demo's steps tell a story."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
import pytest_asyncio

from app import http
from app.mappers.centra.sandbox import Limits, create_stand_in, form, sign
from app.mappers.centra.sandbox.server import DEMO_TOKEN, StandIn
from tests.centra_api.centra_stage import NOON, Clock, running


class Caller:
    def __init__(self, client: http.Client, url: str, stand_in: StandIn, clock: Clock) -> None:
        self.client, self.url, self.stand_in, self.clock = client, url, stand_in, clock

    async def post(self, path: str, body: object = None, token: str = DEMO_TOKEN) -> http.Answer:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        content = b"" if body is None else orjson.dumps(body)
        return await http.send(self.client, "POST", self.url + path, headers=headers, content=content)

    async def ask(self, selection: str, token: str = DEMO_TOKEN) -> Any:
        body = {"query": f"query Q {selection}", "operationName": "Q"}
        answer = await self.post("/graphql", body, token)
        assert answer.status == 200
        return orjson.loads(answer.body)

    async def step(self, path: str, body: object = None) -> list[tuple[str, str, int]]:
        answer = await self.post(f"/stand-in{path}", body)
        assert answer.status == 200, answer.body
        return [(event["type"], event["action"], event["id"]) for event in orjson.loads(answer.body)["events"]]


@pytest_asyncio.fixture
async def caller() -> AsyncIterator[Caller]:
    clock = Clock()
    stand_in = create_stand_in(clock=clock)
    async with running(stand_in) as url, http.create_client() as client:
        yield Caller(client, url, stand_in, clock)


@pytest.mark.parametrize("token", ["", "wrong", DEMO_TOKEN + "x"])
async def test_only_its_tokens_open_it(caller: Caller, token: str) -> None:
    answer = await caller.post("/graphql", {"query": "query Q { orders { id } }", "operationName": "Q"}, token)
    assert answer.status == 401


async def test_aliases_filters_and_limits(caller: Caller) -> None:
    found = await caller.ask("{ a: orders(where: { number: [50211, 50213] }, limit: 1) { number b: status } }")
    assert found["data"] == {"a": [{"number": 50211, "b": "SHIPPED"}]}
    assert found["extensions"]["permissionsUsed"] == ["Order:read"]
    assert found["extensions"]["complexity"] == 12
    refused = await caller.ask("{ orders(limit: 201) { id } }")
    assert refused["errors"][0]["message"] == "Limit must be in range 1 - 200"


@pytest.mark.parametrize(
    ("selection", "message", "line", "column"),
    [
        ("{\n orders {\n  nonsense\n }\n}", 'Cannot query field "nonsense" on type "Order".', 3, 3),
        ("{ nonsense { id } }", 'Cannot query field "nonsense" on type "Query".', 1, 11),
        ("{ orders { grandTotal } }", 'Field "grandTotal" of type "MonetaryValue" must have a selection', 1, 20),
        ("{ orders { id { x } } }", 'Field "id" of type "" must not have a selection', 1, 20),
        ("{ orders(size: 5) { id } }", 'Unknown argument "size" on field "orders".', 1, 11),
        ("{ orders { ... on Nonsense { id } } }", 'Unknown type "Nonsense".', 1, 20),
        ("{ orders { ...Nonsense } }", 'Unknown fragment "Nonsense".', 1, 20),
        ("{ orders { id } } fragment F on Order { id }", 'Fragment "F" is never used.', 1, 41),
    ],
)
async def test_what_is_not_in_the_schema_is_refused(
    caller: Caller, selection: str, message: str, line: int, column: int
) -> None:
    found = await caller.ask(selection)
    assert "data" not in found
    assert found["errors"][0]["message"].startswith(message)
    assert found["errors"][0]["locations"] == [{"line": line, "column": column}]


@pytest.mark.parametrize(
    "selection", ["{", "{ orders { id }", "{ orders(a b) }", "{ orders { id } } mutation M { a }", "%"]
)
async def test_what_is_not_graphql_is_refused(caller: Caller, selection: str) -> None:
    found = await caller.ask(selection)
    assert "Syntax Error" in found["errors"][0]["message"]


async def test_a_missing_permission_hides_its_field(caller: Caller) -> None:
    caller.stand_in.tokens["small"] = {"Order:read"}
    found = await caller.ask("{ orders(limit: 1) { number shippingAddress { city } } }", "small")
    assert found["data"] == {"orders": [{"number": 50211, "shippingAddress": None}]}
    assert found["errors"][0]["message"] == "You need Order.shippingAddress:read permission to access shippingAddress."
    assert found["errors"][0]["extensions"] == {"category": "authorization"}
    assert found["errors"][0]["path"] == ["orders", 0, "shippingAddress"]
    assert "data" not in await caller.ask("{ customers { id } }", "small")


async def test_rate_limits_are_told_and_kept(caller: Caller) -> None:
    caller.stand_in.limits = Limits(requests_ten_seconds=3, retry_after="seconds")
    told = await caller.ask("{ rateLimits { type intervalSeconds quota usedQuota remainingQuota } }")
    assert told["data"]["rateLimits"][0] == {
        "type": "REQUEST_COUNT",
        "intervalSeconds": "TEN_SECONDS",
        "quota": 3,
        "usedQuota": 1,
        "remainingQuota": 2,
    }
    for _ in range(2):
        await caller.ask("{ orders { id } }")
    answer = await caller.post("/graphql", {"query": "", "operationName": ""})
    assert (answer.status, answer.headers["retry-after"]) == (429, "4")
    caller.clock.now += 4
    await caller.ask("{ orders { id } }")


async def test_the_story_of_an_order(caller: Caller) -> None:
    assert await caller.step("/orders", {"customer": 880102, "basket": [[6101, 1], [6103, 2]]}) == [
        ("order", "insert", 50215)
    ]
    assert await caller.step("/orders/50215/confirm") == [("order", "update", 50215)]
    assert await caller.step("/orders/50215/ship") == [
        ("shipment", "create", 14802),
        ("shipment", "update", 14802),
        ("order", "update", 50215),
    ]
    assert await caller.step("/orders/50215/return") == [("return", "update", 2302)]
    found = await caller.ask(
        "{ orders(where: { number: 50215 }) { status grandTotal { value } shipments { number } "
        "lines { quantity returnedQuantity } } }"
    )
    assert found["data"]["orders"] == [
        {
            "status": "SHIPPED",
            "grandTotal": {"value": 255.7},  # 169.00 + 2 x 39.90 + 6.90
            "shipments": [{"number": "50215-1"}],
            "lines": [{"quantity": 1, "returnedQuantity": 0}, {"quantity": 2, "returnedQuantity": 1}],
        }
    ]
    assert await caller.step("/orders") == [("order", "insert", 50216)]
    assert await caller.step("/orders/50216/cancel") == [("order", "update", 50216)]
    assert await caller.step("/customers/880102/register") == [("customer", "update", 880102)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orders/50211/confirm", 409),
        ("/orders/50213/ship", 409),
        ("/orders/50212/return", 409),
        ("/orders/1/confirm", 409),
        ("/orders/50214/fly", 404),
        ("/customers/1/register", 409),
    ],
)
async def test_steps_that_are_impossible(caller: Caller, path: str, status: int) -> None:
    assert (await caller.post(f"/stand-in{path}")).status == status


@pytest.mark.parametrize(
    ("body", "status"), [({"customer": 5}, 409), ({"basket": [[1, 1]]}, 409), ({"basket": "x"}, 422), ([], 422)]
)
async def test_purchases_that_are_impossible(caller: Caller, body: object, status: int) -> None:
    assert (await caller.post("/stand-in/orders", body)).status == status


async def test_orders_are_listed(caller: Caller) -> None:
    answer = await http.send(caller.client, "GET", f"{caller.url}/stand-in/orders")
    assert [(order["number"], order["status"]) for order in orjson.loads(answer.body)] == [
        (50211, "SHIPPED"),
        (50212, "CONFIRMED"),
        (50213, "CANCELLED"),
        (50214, "PENDING"),
    ]


def test_the_vendors_signature() -> None:
    raw = b"payload=%7B%22x%22%3A%22test%22%7D"
    expected = "t=12345678,v1=0b9cd84f5d583e5e1aadfb9f160aa8080b51d5b85ff85808d6b75bdac356c549"
    assert sign(raw, "test123", 12345678.9) == expected


def test_a_webhook_as_centra_writes_it() -> None:
    event = {"type": "order", "action": "insert", "date": "2026-11-20 12:59:58.628033", "id": 20551}
    raw = form([event])
    assert raw == (
        b"payload=%7B%22events%22%3A%5B%7B%22type%22%3A%22order%22%2C%22action%22%3A%22insert%22%2C%22date%22%3A"
        b"%222026-11-20+12%3A59%3A58.628033%22%2C%22id%22%3A20551%7D%5D%7D"
    )
    assert sign(raw, "centra-endpoint-secret-demo", 1795176000) == (
        "t=1795176000,v1=6359bce17e5ef7a411a355c255355fbc9072e1ef12acd320207a4cce8c4cbfbd"
    )
    assert orjson.loads(parse_qs(raw.decode())["payload"][0]) == {"events": [event]}
    digest = hmac.new(b"s", b"1795176000." + raw, hashlib.sha256).hexdigest()
    assert sign(raw, "s", NOON) == f"t=1795176000,v1={digest}"
