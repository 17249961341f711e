"""What each need brings back, and in how many questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import pytest_asyncio

from app.errors import FetchFailed, Unusable
from app.mappers.centra.api import _display_ids
from app.mappers.centra.sandbox import World, create_stand_in
from app.mappers.centra.sandbox.shop import CATALOGUE
from app.mappers.source import Need
from tests.centra_api.centra_stage import SECRETS, Clock, Stage, staged


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = Clock()
    async with staged(create_stand_in(clock=clock), clock) as made:
        yield made


async def test_order(stage: Stage) -> None:
    found: Any = await stage.fetch("order", 50211)
    assert sorted(found) == ["baseCurrency", "displayItems", "order"]
    assert found["baseCurrency"] == "SEK"
    order = found["order"]
    assert order["__typename"] == "DirectToConsumerOrder"
    assert (order["number"], order["status"], order["isOnHold"]) == (50211, "SHIPPED", False)
    # 169.00 + 2 x 115.00 less 30 % = 330.00; + 6.90 shipping - 10.00 voucher
    assert order["grandTotal"] == {
        "value": 326.9,
        "formattedValue": "326.90 EUR",
        "conversionRate": 11.43,
        "currency": {"code": "EUR"},
    }
    assert order["totals"]["taxIncluded"]["value"] == 52.19  # 26.98 + 25.71 + 1.10 - 1.60, at 19 %
    assert order["totals"]["discounts"]["value"] == -10
    assert order["discountsApplied"][0]["code"] == "SPRINGTIDE"
    assert order["customer"]["email"] == "jonas.petersen@example.com"
    assert order["shippingAddress"]["country"] == {"name": "Germany", "code": "DE"}
    assert [line["frontendItemId"] for line in order["lines"]] == ["6101-91011", "6102-91024"]
    assert order["lines"][1]["lineValue"]["value"] == 161
    assert order["lines"][1]["lineValueExTax"]["value"] == 135.29
    assert order["lines"][1]["productSize"]["EAN"] == "7350012345024"
    assert [item["id"] for item in found["displayItems"]] == [6101, 6102]
    display = found["displayItems"][0]["display"]
    assert display["uri"] == "skerry-rain-coat"
    assert [one["name"] for one in display["categories"]] == ["Rainwear", "Outerwear"]
    assert display["media"][0]["source"]["url"] == "https://havsbris.example/images/6101-full.jpg"
    assert stage.operations == ["RateLimits", "Order", "DisplayItems"]


async def test_shipment_brings_its_order(stage: Stage) -> None:
    found: Any = await stage.fetch("shipment", 14801)
    assert sorted(found) == ["baseCurrency", "displayItems", "order", "shipment"]
    shipment = found["shipment"]
    assert (shipment["number"], shipment["isShipped"]) == ("50211-1", True)
    assert shipment["carrierInformation"] == {"carrierName": "DHL", "serviceName": "Paket"}
    assert [(line["quantity"], line["orderLine"]["id"]) for line in shipment["lines"]] == [(1, 170001), (2, 170002)]
    assert shipment["grandTotal"]["value"] == 326.9
    assert shipment["grandTotalExTax"]["value"] == 274.71
    assert found["order"]["number"] == 50211
    assert len(found["displayItems"]) == 2


async def test_return_brings_its_order(stage: Stage) -> None:
    found: Any = await stage.fetch("return", 2301)
    assert sorted(found) == ["baseCurrency", "displayItems", "order", "return"]
    returned = found["return"]
    assert returned["returnStatus"] == "COMPLETED"
    assert returned["grandTotal"]["value"] == 80.5
    assert returned["refundPaymentHistory"][0]["status"] == "SUCCESS"
    assert returned["lines"][0]["orderLine"] == {"id": 170002}
    assert found["order"]["lines"][1]["returnedQuantity"] == 1


async def test_customer(stage: Stage) -> None:
    found: Any = await stage.fetch("customer", 880101)
    assert sorted(found) == ["customer"]
    assert found["customer"]["email"] == "astrid.nyman@example.com"
    assert found["customer"]["isRegistered"] is True
    assert found["customer"]["language"] == {"code": "sv"}
    assert found["customer"]["newsletterSubscriptions"][0]["isActive"] is True
    assert stage.operations == ["RateLimits", "Customer"]


async def test_the_story_moves_on(stage: Stage) -> None:
    first: Any = await stage.fetch("order", 50214)
    stage.stand_in.world.confirm(50214)
    second: Any = await stage.fetch("order", 50214)
    assert (first["order"]["status"], second["order"]["status"]) == ("PENDING", "CONFIRMED")


async def test_numbers_keep_their_form(stage: Stage) -> None:
    raw = await stage.api.fetch(Need("order", "50211"), stage.shop, SECRETS)
    assert b'"value":326.9,' in raw
    assert b'"value":161,' in raw
    assert b'"quantity":2,' in raw


@pytest.mark.parametrize(
    ("what", "number"), [("order", "99999"), ("shipment", "1"), ("return", "7"), ("customer", "12"), ("order", "0")]
)
async def test_what_centra_does_not_know_is_unusable(stage: Stage, what: str, number: str) -> None:
    with pytest.raises(Unusable, match=f"Centra knows no {what} {number}"):
        await stage.fetch(what, number)


@pytest.mark.parametrize("number", ["", "abc", "-5", "5.5", "1) { id", "٣", "2147483648", "9" * 30])
async def test_what_is_no_number_is_unusable_without_asking(stage: Stage, number: str) -> None:
    with pytest.raises(Unusable, match="is not the number of a Centra order"):
        await stage.fetch("order", number)
    assert stage.operations == []


async def test_an_unknown_need_is_unusable(stage: Stage) -> None:
    with pytest.raises(Unusable, match="invoice"):
        await stage.fetch("invoice", 5)


async def test_a_shipment_that_does_not_name_its_order_is_matched_by_its_number() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, without={"DirectToConsumerShipment.order"}), clock) as stage:
        found: Any = await stage.fetch("shipment", 14801)
    assert found["order"]["number"] == 50211


async def test_a_wholesale_return_is_unusable() -> None:
    clock = Clock()
    wholesale = {"__typename": "WholesaleReturn", "id": 4, "returnStatus": "PENDING"}
    async with staged(create_stand_in(World(clock, {"returns": [wholesale]}), clock=clock), clock) as stage:
        with pytest.raises(Unusable, match="return 4 belongs to no direct-to-consumer order"):
            await stage.fetch("return", 4)


async def test_display_items_are_kept_for_an_hour(stage: Stage) -> None:
    await stage.fetch("order", 50211)  # 6101, 6102
    await stage.fetch("order", 50213)  # 6102
    assert stage.operations.count("DisplayItems") == 1
    found: Any = await stage.fetch("order", 50214)  # 6101, 6103: only the latter is new
    assert [item["id"] for item in found["displayItems"]] == [6101, 6103]
    assert "[6103]" in stage.stand_in.asked[-1][1]
    stage.clock.now += 3599
    await stage.fetch("order", 50213)
    assert stage.operations.count("DisplayItems") == 2
    stage.clock.now += 2
    await stage.fetch("order", 50213)
    assert stage.operations.count("DisplayItems") == 3


async def test_display_items_are_kept_by_environment_and_image_size(stage: Stage) -> None:
    await stage.fetch("order", 50211)
    small = replace(stage.shop, product_image_size="small")
    found = orjson.loads(await stage.api.fetch(Need("order", "50211"), small, SECRETS))
    assert found["displayItems"][0]["display"]["media"][0]["source"]["url"].endswith("-small.jpg")
    other = replace(stage.shop, base_url=f"{stage.shop.base_url}/")  # the same environment, written differently
    await stage.api.fetch(Need("order", "50211"), other, SECRETS)
    assert stage.operations.count("DisplayItems") == 2


def test_display_items_of_an_order() -> None:
    items = ["30412-51207", "30412-51208", "30413", "30414x", "x30415", "", None, 30416, "30417-"]
    assert _display_ids({"lines": [*({"frontendItemId": item} for item in items), None, {}]}) == [
        30412,
        30413,
        30416,
        30417,
    ]
    assert _display_ids({}) == _display_ids({"lines": None}) == []


async def test_a_display_item_centra_has_not_is_left_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(CATALOGUE, 6101)
    found: Any = await stage.fetch("order", 50211)
    assert [item["id"] for item in found["displayItems"]] == [6102]


async def test_what_is_not_set_is_told_to_the_operator(stage: Stage) -> None:
    with pytest.raises(FetchFailed, match="API token is not set") as caught:
        await stage.api.fetch(Need("order", "50211"), stage.shop, {})
    assert caught.value.operator
    with pytest.raises(FetchFailed, match="base_url is not set") as caught:
        await stage.api.fetch(Need("order", "50211"), replace(stage.shop, base_url=None), SECRETS)
    assert caught.value.operator
    assert stage.operations == []
