"""The samples that our research of Centra left: what it expects Klaviyo to be sent must come out, to the digit.

They live outside this repository; where they are missing these tests say so and are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.connections import Connected
from app.judge import Judged, judge
from app.klaviyo.commands import Kind
from app.mappers.centra.answers import GivenAddress
from app.mappers.centra.convert import address
from app.mappers.centra.source import SOURCE
from tests.mappers.golden import ACCOUNT, door_of, raw

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "centra"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason=f"the samples are not here: {SAMPLES}")

ORDER, SHIPMENT, RETURN, CUSTOMER = "order:20551", "shipment:9317", "return:612", "customer:530218"
# Expected file -> where it comes from, by both doors where both can tell it.
EXPECTED = [
    ("placed_order", "webhook_order_insert"),
    ("placed_order", "ingest_placed_order"),
    ("ordered_product_1", "webhook_order_insert"),
    ("ordered_product_1", "ingest_placed_order"),
    ("confirmed_order", "webhook_order_update_confirmed"),
    ("confirmed_order", "ingest_confirmed_order"),
    ("created_account", "webhook_customer_insert"),
    ("created_account", "ingest_created_account"),
    ("shipping_update_shipped", "webhook_shipment_update_shipped"),
    ("shipping_update_shipped", "ingest_shipping_update_shipped"),
    ("shipped", "webhook_shipment_update_shipped"),
    ("shipped", "ingest_shipping_update_shipped"),
    ("shipping_update_delivered", "ingest_shipping_update_delivered"),
    ("delivered", "ingest_shipping_update_delivered"),
    ("out_for_delivery", "ingest_shipping_update_out_for_delivery"),
    ("gift_certificate", "ingest_gift_certificate"),
    ("reset_password", "ingest_reset_password"),
]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def record(name: str, kind: str) -> Any:
    return sample(f"gql_{name}")["data"][kind][0]


def order(name: str) -> dict[str, Any]:
    """As ``CentraApi.fetch`` keeps it."""
    items = sample("gql_display_items")["data"]["displayItems"]
    return {"order": record(name, "orders"), "displayItems": items, "baseCurrency": "SEK"}


def answers() -> dict[str, Any]:
    confirmed = order("order_20551_confirmed")
    return {
        ORDER: confirmed,
        "order:20552": order("order_20552_cancelled"),
        SHIPMENT: {"shipment": record("shipment_9317_shipped", "shipments"), **confirmed},
        RETURN: {"return": record("return_612_refunded", "returns"), **confirmed},
        CUSTOMER: {"customer": record("customer_530218", "customers")},
    }


def settings() -> dict[str, Any]:
    """The plugin's settings as a connection holds them. They name no rate, the gift certificate's value needs one."""
    plugin = sample("plugin_settings")
    known = {name: value for name, value in plugin.items() if name in SOURCE.settings.model_fields}
    shop = {name: plugin["centra"][name] for name in ("base_url", "timezone", "store_ids")}
    return known | shop | {"rates": {"EUR": "11.2"}}


def body(name: str) -> Any:
    found = sample(name)
    if name.startswith("ingest_"):
        # Where the expected files have an address the ingested event lacks, they took it from the customer's record.
        billing: GivenAddress = record("customer_530218", "customers")["billingAddress"]
        found["customer"]["address"] = address(billing)
    return found


def judged(name: str, fetched: Mapping[str, Any]) -> list[Judged]:
    door = door_of(SOURCE, "webhooks" if name.startswith("webhook_") else "events")
    connected = Connected("c", SOURCE, ACCOUNT, True, {}, settings(), {})
    results = judge(connected, door, raw(door, body(name)), {need: orjson.dumps(a) for need, a in fetched.items()})
    assert all(isinstance(result, Judged) for result in results), results
    return [result for result in results if isinstance(result, Judged)]


def events(name: str, fetched: Mapping[str, Any]) -> list[dict[str, Any]]:
    """In the shape of ``POST /api/events``."""
    return [
        {"data": {"type": "event", "attributes": {**orjson.loads(made.stored.payload),
                                                  "profile": {"data": orjson.loads(made.stored.profile)}}}}
        for result in judged(name, fetched)
        for made in result.commands
        if made.stored.kind is Kind.TRACK
    ]  # fmt: skip


@pytest.mark.parametrize(("expected", "source"), EXPECTED)
def test_an_expected_file_holds(expected: str, source: str) -> None:
    fetched = answers()
    if source == "webhook_order_insert":
        fetched[ORDER] = order("order_20551_pending")
    wanted = sample(f"expected_klaviyo_{expected}")
    name = wanted["data"]["attributes"]["metric"]["data"]["attributes"]["name"]
    found = [event for event in events(source, fetched) if _name(event) == name]
    assert found[0] == wanted


def _name(event: dict[str, Any]) -> str:
    return str(event["data"]["attributes"]["metric"]["data"]["attributes"]["name"])


def test_a_refund_is_the_same_by_both_doors() -> None:
    thin, full = events("webhook_return_update_completed", answers()), events("ingest_refunded_order", {})
    assert thin == full
    assert thin[0]["data"]["attributes"]["value"] == 537.6
    assert thin[0]["data"]["attributes"]["unique_id"] == "20551-612"


def test_a_cancelled_order_is_placed_and_then_cancelled() -> None:
    """Centra's order does not tell why it was cancelled; the sample's reason was given by hand."""
    thin = events("webhook_order_update_cancelled", answers())
    full = events("ingest_cancelled_order", {})[0]
    full["data"]["attributes"]["properties"]["Reason"] = ""
    assert [_name(event) for event in thin] == ["Placed Order", "Ordered Product", "Ordered Product", "Cancelled Order"]
    assert thin[-1] == full


def test_minus_zero_is_never_printed() -> None:
    placed = events("ingest_placed_order_negative_zero", {})[0]["data"]["attributes"]["properties"]
    assert placed["DiscountValue"] == placed["DiscountValueInCustomerCurrency"] == "0.00"


@pytest.mark.parametrize(
    "name", ["webhook_check_first_create", "webhook_checkout_api_ids", "webhook_storefront_api_ids",
             "webhook_empty_payload_object"],
)  # fmt: skip
def test_what_is_not_for_klaviyo_is_ignored_with_a_reason(name: str) -> None:
    results = judged(name, {})
    assert {result.state for result in results} == {"ignored"}
    assert all(result.reason for result in results)


def test_a_call_of_several_events_is_judged_one_by_one() -> None:
    results = judged("webhook_shipment_create_and_good_to_go", answers())
    assert [result.slug for result in results] == ["order_changed", "shipment_changed", "shipment_changed"]
    assert results[1].commands == results[2].commands


def test_started_checkout_keeps_the_link_it_brings() -> None:
    started = events("ingest_started_checkout", {})[0]["data"]["attributes"]
    assert started["unique_id"] == "c41e0b7d52aa4f6e9d13086af7b2e590"
    assert started["properties"]["AbandonedCartURL"].endswith("/c41e0b7d52aa4f6e9d13086af7b2e590")
    assert "OrderId" not in started["properties"]
