"""The shared samples, served by the stand-in, come through the client unchanged. Skipped where they are not at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.mappers.centra.sandbox import World, create_stand_in
from app.mappers.centra.sandbox.engine import Execution, Record
from app.mappers.centra.sandbox.schema import TYPES
from tests.centra_api.centra_stage import Clock, staged

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "centra"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared is not here: no samples to compare with")

NOT_ASKED = {"voucher"}  # the published schema has voucherName and code beside it, without a further permission


def sample(name: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = orjson.loads((SAMPLES / f"gql_{name}.json").read_bytes())["data"]
    return found


def sample_world(clock: Clock, *orders: str) -> World:
    """A world with the samples' records; ``orders`` names the states of orders to show."""
    fixed = {
        **sample("display_items"),
        **sample("shipment_9317_shipped"),
        **sample("return_612_refunded"),
        **sample("customer_530218"),
        "orders": [record for name in orders for record in sample(f"order_{name}")["orders"]],
    }
    return World(clock, fixed)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in NOT_ASKED:
                yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{number}")
    else:
        yield path, value


def assert_contains(found: object, expected: object) -> None:
    have = dict(leaves(found))
    for path, value in leaves(expected):
        assert path in have, path
        assert have[path] == value, path


@pytest.mark.parametrize("state", ["20551_pending", "20551_confirmed", "20552_cancelled"])
async def test_orders(state: str) -> None:
    clock = Clock()
    async with staged(create_stand_in(sample_world(clock, state), clock=clock), clock) as stage:
        found: Any = await stage.fetch("order", state.partition("_")[0])
    assert_contains(found["order"], sample(f"order_{state}")["orders"][0])
    assert_contains(found["displayItems"], sample("display_items")["displayItems"])
    assert found["baseCurrency"] == "SEK"


async def test_shipment_return_and_customer() -> None:
    clock = Clock()
    world = sample_world(clock, "20551_confirmed")
    async with staged(create_stand_in(world, clock=clock), clock) as stage:
        shipment: Any = await stage.fetch("shipment", 9317)
        returned: Any = await stage.fetch("return", 612)
        customer: Any = await stage.fetch("customer", 530218)
    assert_contains(shipment["shipment"], sample("shipment_9317_shipped")["shipments"][0])
    assert_contains(returned["return"], sample("return_612_refunded")["returns"][0])
    assert_contains(customer["customer"], sample("customer_530218")["customers"][0])
    assert shipment["order"]["number"] == returned["order"]["number"] == 20551


def test_the_permission_error_is_answered_alike() -> None:
    wanted = orjson.loads((SAMPLES / "gql_error_permission.json").read_bytes())
    got: Any = Execution(TYPES, set(), World().records).answer("query Q {\n  orders { id } }", "Q", {})
    assert sorted(got) == sorted(wanted)
    assert sorted(got["errors"][0]) == sorted(wanted["errors"][0])
    assert got["errors"][0]["locations"] == wanted["errors"][0]["locations"]
    assert got["errors"][0]["message"] == wanted["errors"][0]["message"].replace("orderConnection", "orders")


def test_the_rate_limits_are_told_alike() -> None:
    wanted = sample("rate_limits")["rateLimits"]
    told = create_stand_in(clock=Clock()).limits.told(0.0)
    assert [(one["type"], one["intervalSeconds"], one["quota"]) for one in told] == [
        (one["type"], one["intervalSeconds"], one["quota"]) for one in wanted[:4]
    ]
