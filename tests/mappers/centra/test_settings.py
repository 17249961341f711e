"""Settings of a Centra connection: each fault found, each switch does what it says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from app.connections import Connected
from app.judge import Judged, judge
from app.mappers.centra import examples
from app.mappers.centra.settings import METRICS, CentraSettings, language
from app.mappers.centra.source import SOURCE
from tests.mappers.golden import ACCOUNT, door_of

BASE = {"base_currency": "SEK"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"base_currency": "KRONOR"}, "base_currency"),
        ({"base_currency": None}, "base_currency"),
        ({"base_url": "http://shop.example.com"}, "base_url"),
        ({"base_url": "ftp://shop.example.com"}, "base_url"),
        ({"base_url": "https://user:secret@shop.example.com"}, "base_url"),
        ({"base_url": "https://shop.example.com/?x=1"}, "base_url"),
        ({"rates": {"EURO": 1}}, "rates"),
        ({"rates": {"EUR": 0}}, "rates"),
        ({"rates": {"EUR": "-1"}}, "rates"),
        ({"rates": {"EUR": "NaN"}}, "rates"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"country_language": {"SE": "swedish"}}, "country_language"),
        ({"country_language": {"Sweden": "sv"}}, "country_language"),
        ({"cart_link": "https://shop.example.com/cart"}, "cart_link"),
        ({"cart_link": "https://shop.example.com/{selection}/{id}"}, "cart_link"),
        ({"cart_link": "https://{selection}.example.com/"}, "cart_link"),
        ({"cart_link": "javascript:alert('{selection}')"}, "cart_link"),
        ({"product_page_url": "https://shop.example.com/{selection}"}, "product_page_url"),
        ({"tracking_url_templates": {"Posti": "https://posti.example"}}, "tracking_url_templates"),
        ({"restrict": {"countries": ["Sweden"]}}, "restrict"),
        ({"restrict": {"planets": []}}, "restrict"),
        ({"metrics": {"order_lost": {"on": False}}}, "metrics"),
        ({"metrics": {"order_placed": {"name": ""}}}, "metrics"),
        ({"metrics": {"shipped": {"name": "Shipping Update"}}}, ""),
        ({"signature_tolerance": 0}, "signature_tolerance"),
        ({"api_token_expires": "soon"}, "api_token_expires"),
        ({"wormhole": 1}, "wormhole"),
    ],
)
def test_a_fault_is_found_where_it_is(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CentraSettings.model_validate(BASE | change)
    places = {str(error["loc"][0]) if error["loc"] else "" for error in caught.value.errors()}
    assert places == {pointer}


def sent(settings: dict[str, Any], title: str = "Placed Order", **customer: object) -> list[str]:
    """The metrics that an example becomes."""
    body = next(orjson.loads(orjson.dumps(one.body)) for one in examples.PUSHED if one.title == title)
    body["customer"] |= customer
    connected = Connected("c", SOURCE, ACCOUNT, True, {}, BASE | settings, {})
    (result,) = judge(connected, door_of(SOURCE, "events"), orjson.dumps(body), {})
    assert isinstance(result, Judged)
    return [made.stored.name for made in result.commands]


PLACED = ["Placed Order", "Ordered Product"]


@pytest.mark.parametrize(
    ("settings", "metrics"),
    [
        ({}, PLACED),
        ({"restrict": {"markets": ["Sweden"]}}, PLACED),
        ({"restrict": {"markets": ["Finland", "Norway"]}}, []),
        ({"restrict": {"countries": ["SE"]}}, PLACED),
        ({"restrict": {"countries": ["FI"]}}, []),
        ({"restrict": {"pricelists": ["EUR"]}}, PLACED),  # our contract need not name a pricelist
        ({"metrics": {"order_placed": {"on": False}}}, ["Ordered Product"]),
        ({"metrics": {"product_ordered": {"on": False}}}, ["Placed Order"]),
        ({"metrics": {"order_placed": {"name": "Beställning"}}}, ["Beställning", "Ordered Product"]),
    ],
)
def test_restrictions_and_switches(settings: dict[str, Any], metrics: list[str]) -> None:
    assert sent(settings) == metrics


def test_restrictions_know_ids_as_well_as_names() -> None:
    restricted = {"restrict": {"markets": ["5"], "pricelists": ["2"]}, "store_ids": [1]}
    assert sent(restricted, market_id=5, pricelist_id="2", store_id=1) == PLACED
    assert sent(restricted, market_id=6, pricelist_id="2", store_id=1) == []
    assert sent(restricted, market_id=5, pricelist_id="3", store_id=1) == []
    assert sent(restricted, market_id=5, pricelist_id="2", store_id=2) == []


@pytest.mark.parametrize("slug", METRICS)
def test_every_metric_can_be_switched_off_and_renamed(slug: str) -> None:
    name = METRICS[slug]
    title = {"Shipped": "Shipping Update"}.get(name, name)
    assert name in sent({}, title)
    assert name not in sent({"metrics": {slug: {"on": False}}}, title)
    assert "My own" in sent({"metrics": {slug: {"name": "My own"}}}, title)


@pytest.mark.parametrize(
    ("code", "found"), [("en", "en"), ("sv-SE", "sv"), ("EN_gb", "en"), ("swedish", None), ("xx", None), ("", None)]
)
def test_a_language(code: str, found: str | None) -> None:
    assert language(code) == found


def test_a_scope_of_the_market_overrides_that_of_the_store() -> None:
    scopes = {
        "store:1": ({"metrics": {"order_placed": {"name": "Store"}}}, None),
        "market:5": ({"metrics": {"order_placed": {"name": "Market"}}}, "other"),
    }
    connected = Connected("c", SOURCE, ACCOUNT, True, {}, BASE, scopes)
    body = orjson.loads(orjson.dumps(next(one.body for one in examples.PUSHED if one.title == "Placed Order")))
    made = {}
    for market in (4, 5):
        body["customer"] |= {"store_id": 1, "market_id": market}
        (result,) = judge(connected, door_of(SOURCE, "events"), orjson.dumps(body), {})
        assert isinstance(result, Judged)
        made[market] = [(one.account_id, one.stored.name) for one in result.commands]
    assert made[4] == [(ACCOUNT, "Store"), (ACCOUNT, "Ordered Product")]
    assert made[5] == [("other", "Market"), ("other", "Ordered Product")]
