"""Fields and permissions that a Centra does not have: left out where they may be, told to the operator where not."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import FetchFailed
from app.mappers.centra.api import token_warning
from app.mappers.centra.sandbox import create_stand_in
from app.mappers.centra.sandbox.engine import Execution
from app.mappers.centra.sandbox.schema import EVERY_PERMISSION
from app.mappers.centra.sandbox.server import DEMO_TOKEN
from tests.centra_api.centra_stage import NOON, SECRETS, Clock, Shop, Stage, running, staged


def stage_without(
    fields: Collection[str] = (), permissions: Collection[str] = ()
) -> AbstractAsyncContextManager[Stage]:
    clock = Clock()
    tokens = {DEMO_TOKEN: EVERY_PERMISSION - set(permissions)}
    return staged(create_stand_in(clock=clock, without=fields, tokens=tokens), clock)


async def test_a_refused_field_is_left_out_remembered_and_logged_once() -> None:
    async with stage_without(["Order.language"]) as stage:
        with capture_logs() as logs:
            first: Any = await stage.fetch("order", 50211)
            await stage.fetch("order", 50212)
    assert "language" not in first["order"]
    assert first["order"]["customer"]["language"] == {"code": "de"}
    assert first["displayItems"]
    assert stage.operations == ["RateLimits", "Order", "Order", "DisplayItems", "Order", "DisplayItems"]
    assert [entry["field"] for entry in logs] == ["language { code name }"]
    assert logs[0]["event"] == "centra_field_left_out"


async def test_many_refused_fields_cost_one_more_question() -> None:
    gone = [
        "Order.language",
        "Order.shipments",
        "Customer.language",
        "AppliedVoucher",
        "Query.currencies",
        "OrderLine.frontendItemId",
    ]
    async with stage_without(gone) as stage:
        found: Any = await stage.fetch("order", 50211)
    assert "baseCurrency" not in found
    assert found["order"]["discountsApplied"][0]["value"]["value"] == -10
    assert [item["id"] for item in found["displayItems"]] == [6101, 6102]  # a ProductOrderLine still tells them
    assert stage.operations.count("Order") == 2


async def test_a_server_that_gives_no_locations(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Execution._refuse
    monkeypatch.setattr(Execution, "_refuse", lambda self, text, _, *rest: refuse(self, text, None, *rest))
    async with stage_without(["Customer.isRegistered", "Customer.newsletterSubscriptions"]) as stage:
        found: Any = await stage.fetch("customer", 880101)
    assert "isRegistered" not in found["customer"]
    assert found["customer"]["totalOrders"] == 2


async def test_each_environment_is_asked_for_everything() -> None:
    async with stage_without(["Order.language"]) as poor, running(create_stand_in(clock=poor.clock)) as rich:
        await poor.fetch("order", 50211)
        poor.shop = Shop(rich)
        found: Any = await poor.fetch("order", 50211)
    assert found["order"]["language"] == {"code": "de", "name": "German"}


async def test_a_field_we_cannot_do_without() -> None:
    async with stage_without(["Order.grandTotal"]) as stage:
        with pytest.raises(FetchFailed, match='Cannot query field "grandTotal" on type "Order"') as caught:
            await stage.fetch("order", 50211)
    assert caught.value.operator
    assert stage.operations.count("Order") == 1


async def test_missing_permissions_are_named_together() -> None:
    async with stage_without(permissions=["Order.shippingAddress:read", "Brand:read", "ProductSize:read"]) as stage:
        with pytest.raises(FetchFailed) as caught:
            await stage.fetch("order", 50211)
    assert caught.value.operator
    assert str(caught.value) == (
        "Centra's API token lacks permissions: Order.shippingAddress:read, Brand:read, ProductSize:read. "
        "Grant them in Centra under System > API Tokens, or save a token that has them."
    )


async def test_a_whole_kind_that_may_not_be_read() -> None:
    async with stage_without(permissions=["Return:read"]) as stage:
        with pytest.raises(FetchFailed, match="lacks permissions: Return:read") as caught:
            await stage.fetch("return", 2301)
    assert caught.value.operator


async def test_a_missing_permission_for_an_optional_field_leaves_the_rest() -> None:
    async with stage_without(permissions=["Customer.totalOrders:read"]) as stage:
        with capture_logs() as logs:
            first: Any = await stage.fetch("customer", 880101)
            second: Any = await stage.fetch("customer", 880101)
    assert first["customer"]["totalOrders"] is None
    assert "totalOrders" not in second["customer"]
    assert first["customer"]["email"] == second["customer"]["email"] == "astrid.nyman@example.com"
    assert stage.operations.count("Customer") == 2
    assert len(logs) == 1


async def test_check_finds_nothing_wrong() -> None:
    async with stage_without() as stage:
        check = await stage.api.check(stage.shop, SECRETS)
    assert check.problems == check.missing_permissions == check.left_out == ()
    assert check.token_warning is None
    assert set(check.permissions_used) == EVERY_PERMISSION


async def test_check_lists_what_is_missing_and_sees_what_was_granted() -> None:
    gone = ["Customer:read", "Category:read", "Return.comment:read"]
    async with stage_without(["Order.language"], gone) as stage:
        check = await stage.api.check(stage.shop, SECRETS)
        assert set(check.missing_permissions) == {"Category:read", "Customer:read"}
        stage.stand_in.tokens[DEMO_TOKEN] = EVERY_PERMISSION - {"Category:read", "Return.comment:read"}
        check = await stage.api.check(stage.shop, SECRETS)
        assert check.missing_permissions == ("Category:read",)
        assert "Category:read" in check.problems[0]
        stage.stand_in.tokens[DEMO_TOKEN] = EVERY_PERMISSION - {"Return.comment:read"}
        check = await stage.api.check(stage.shop, SECRETS)
        assert check.problems == ()
        assert sorted(check.left_out) == [
            'Cannot query field "language" on type "Order".',
            "You need Return.comment:read permission to access comment.",
        ]
        stage.stand_in.tokens[DEMO_TOKEN] = EVERY_PERMISSION
        check = await stage.api.check(stage.shop, SECRETS)
        assert check.left_out == ('Cannot query field "language" on type "Order".',)


async def test_check_without_settings_token_or_server() -> None:
    async with stage_without() as stage:
        for shop, secrets, text in [
            (replace(stage.shop, base_url=None), SECRETS, "base_url is not set"),
            (stage.shop, {}, "API token is not set"),
            (stage.shop, {"api_token": "old"}, "HTTP 401"),
            (replace(stage.shop, base_url="http://127.0.0.1:1"), SECRETS, "cannot be asked"),
        ]:
            check = await stage.api.check(shop, secrets)
            assert len(check.problems) == 1
            assert text in check.problems[0]


async def test_check_warns_of_the_token() -> None:
    async with stage_without() as stage:
        check = await stage.api.check(replace(stage.shop, api_token_expires=date(2026, 11, 24)), SECRETS)
    assert check.problems == ()
    assert check.token_warning is not None
    assert "expires on 2026-11-24 (days left: 4)" in check.token_warning


@pytest.mark.parametrize(
    ("expires", "words"),
    [
        (None, None),
        (date(2026, 11, 28), None),
        (date(2026, 11, 27), "expires on 2026-11-27 (days left: 7)"),
        (date(2026, 11, 20), "expires on 2026-11-20 (days left: 0)"),
        (date(2026, 11, 19), "expired on 2026-11-19"),
        (date(2020, 1, 1), "expired on 2020-01-01"),
    ],
)
def test_token_warning_comes_seven_days_ahead(expires: date | None, words: str | None) -> None:
    warning = token_warning(expires, NOON)
    assert (warning is None) == (words is None)
    assert words is None or f"Centra's API token {words}. Create a new one" in str(warning)
