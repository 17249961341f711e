"""A stored webhook becomes commands, once; what cannot become one is kept with a reason an operator understands."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.connections import Connected, Connections
from app.errors import FetchFailed, Unusable
from app.mappers.source import Event
from app.store import commands, webhooks
from app.store.engine import Database
from app.store.webhooks import Arrived
from app.translate import NOT_FOUND_TRIES, Translator
from tests.shop import Api, connected

HOUR = 3600.0


class Desk:
    """A translator on a real database whose time only moves when told."""

    def __init__(self, database: Database, here: Connected, api: Api | None = None) -> None:
        self.now, self.made = 1_000_000.0, 0
        self.database = database
        fixed = SimpleNamespace(by_id={here.id: here})
        self.translator = Translator(
            database, cast(Connections, fixed), {"shop": api} if api else {}, self._made, clock=lambda: self.now
        )

    def _made(self) -> None:
        self.made += 1

    async def receive(self, *items: object, origin: str = "push") -> int:
        body = json.dumps(items[0] if len(items) == 1 else list(items)).encode()
        key = str(abs(hash(body)))[:16].encode().ljust(16, b"-")
        row = Arrived("shop-1", key, "events", origin, int(self.now * 1000), body)
        await self.database.write(webhooks.store, [row])
        return await self.step()

    async def step(self) -> int:
        taken = await self.translator.step()
        await self.translator.settled()
        return taken

    async def all(self) -> list[dict[str, Any]]:
        rows = await self.database.read(webhooks.page, connection_id=None, state=None, before=None, limit=100)
        return [{**row._mapping, "events": json.loads(row.events or "[]")} for row in reversed(rows)]

    async def sent(self) -> list[Any]:
        rows = await self.database.read(commands.page, account_id=None, state=None, name=None, before=None, limit=100)
        return list(reversed(rows))


def sale(id_: str = "7", email: str = "eva@shop.test", event: str = "sold", **more: str) -> dict[str, str]:
    return {"event": event, "id": id_, "email": email, **more}


async def test_a_sale_becomes_one_command(database: Database) -> None:
    desk = Desk(database, connected(prefix="A-"))
    await desk.receive(sale())
    (webhook,), (command,) = await desk.all(), await desk.sent()
    assert (webhook["state"], webhook["commands"]) == ("mapped", 1)
    assert (command.kind, command.name, command.state) == ("track", "Sold", "pending")
    assert json.loads(command.payload)["properties"] == {"Id": "A-7"}
    assert command.webhook_id == webhook["id"]
    assert desk.made == 1


async def test_a_repeat_names_the_webhook_that_said_it_first(database: Database) -> None:
    desk = Desk(database, connected())
    await desk.receive(sale())
    await desk.receive(sale(), sale("8"))
    await desk.receive(sale(), sale("8", email="other@shop.test"))
    first, second, third = await desk.all()
    assert [event["commands"] for event in second["events"]] == [0, 1]
    assert (second["commands"], third["commands"]) == (1, 0)
    assert second["events"][0]["notes"][-1] == f"Sold 7 is not sent again: webhook {first['id']} said it before"
    assert str(second["id"]) in third["events"][1]["notes"][-1]


async def test_the_same_effect_from_two_webhooks_is_one_command(database: Database) -> None:
    desk = Desk(database, connected())
    await desk.receive(sale())
    await desk.receive(sale(note="another body, the same sale"))
    assert len(await desk.all()) == 2
    assert len(await desk.sent()) == 1


async def test_two_stores_of_one_account_do_not_swallow_each_others_orders(database: Database) -> None:
    for id_ in ("shop-1", "shop-2"):
        here = Connected(id_, connected().source, "main", True, {}, {}, {})
        desk = Desk(database, here)
        body = json.dumps(sale()).encode()
        await database.write(webhooks.store, [Arrived(id_, b"k" * 16, "events", "push", 1, body)])
        await desk.step()
    assert len(await desk.sent()) == 2


@pytest.mark.parametrize(
    ("item", "state", "reason"),
    [
        (sale(event="viewed"), "ignored", "views are not for Klaviyo"),
        (sale(event="exploded"), "unknown", "no mapping"),
        (sale(email="nobody"), "ignored", "nobody bought this"),
        ({"event": "sold", "id": 7}, "quarantined", "/id"),
    ],
)
async def test_what_makes_no_command_is_kept_with_its_reason(
    database: Database, item: dict[str, object], state: str, reason: str
) -> None:
    desk = Desk(database, connected())
    await desk.receive(item)
    (webhook,) = await desk.all()
    assert webhook["state"] == state
    assert reason in webhook["events"][0]["reason"]
    assert await desk.sent() == []


async def test_a_body_that_cannot_be_read_is_quarantined(database: Database) -> None:
    desk = Desk(database, connected())
    await database.write(webhooks.store, [Arrived("shop-1", b"k" * 16, "events", "push", 1, b"{not json")])
    await desk.step()
    assert "not JSON" in (await desk.all())[0]["events"][0]["reason"]


async def test_a_fault_of_a_door_costs_one_webhook(database: Database) -> None:
    def broken(raw: bytes) -> list[Event]:
        raise RuntimeError("a door's fault")

    here = connected()
    door = replace(here.source.doors[0], events=broken)
    desk = Desk(database, replace(here, source=replace(here.source, doors=(door,))))
    await desk.receive(sale())
    (webhook,) = await desk.all()
    assert webhook["state"] == "quarantined"
    assert "RuntimeError" in webhook["events"][0]["reason"]


async def test_a_fault_of_a_mapper_costs_one_event_and_a_replay_mends_it(database: Database) -> None:
    desk = Desk(database, connected(broken=True))
    await desk.receive(sale())
    (webhook,) = await desk.all()
    assert webhook["state"] == "quarantined"
    assert "RuntimeError" in webhook["events"][0]["reason"]
    mended = Desk(database, connected())
    await database.write(webhooks.again, "shop-1", [webhook["id"]], int(mended.now * 1000))
    await mended.step()
    assert (await mended.all())[0]["state"] == "mapped"
    assert len(await mended.sent()) == 1


async def test_one_bad_event_of_many_does_not_sink_the_others(database: Database) -> None:
    desk = Desk(database, connected())
    await desk.receive(sale("1"), {"event": "sold"}, sale("3"), sale("4", event="viewed"))
    (webhook,) = await desk.all()
    assert webhook["state"] == "quarantined"
    assert [event["state"] for event in webhook["events"]] == ["mapped", "quarantined", "mapped", "ignored"]
    assert len(await desk.sent()) == 2


async def test_a_thin_event_is_fetched_once_and_its_answer_kept(database: Database) -> None:
    api = Api()
    api.answers["7"] = {"id": "7", "email": "eva@shop.test"}
    desk = Desk(database, connected(), api)
    await desk.receive({"event": "sold_thin", "id": "7"})
    assert (await desk.all())[0]["state"] == "mapped"
    api.answers["7"] = {"id": "7", "email": "changed@shop.test"}
    await database.write(webhooks.again, "shop-1", [(await desk.all())[0]["id"]], 0)
    await desk.step()
    assert api.asked == ["7"], "a replay maps the stored answer"
    assert len(await desk.sent()) == 1


async def test_while_the_shop_is_away_the_webhook_waits_and_what_can_go_goes(database: Database) -> None:
    api = Api()
    api.answers["8"] = {"id": "8", "email": "b@shop.test"}
    desk = Desk(database, connected(), api)
    await desk.receive({"event": "sold_thin", "id": "7"}, {"event": "sold_thin", "id": "8"}, sale("9"))
    (webhook,) = await desk.all()
    assert (webhook["state"], webhook["problem"]) == ("waiting", "the shop's API is away")
    assert len(await desk.sent()) == 2
    assert await desk.step() == 0, "not before its time"
    api.answers["7"] = {"id": "7", "email": "a@shop.test"}
    desk.now += HOUR
    await desk.step()
    assert (await desk.all())[0]["state"] == "mapped"
    assert len(await desk.sent()) == 3
    assert api.asked.count("8") == 1


async def test_a_time_the_shop_names_is_kept(database: Database) -> None:
    api = Api()
    api.answers["7"] = FetchFailed("slow down", retry_after=120.0)
    desk = Desk(database, connected(), api)
    await desk.receive({"event": "sold_thin", "id": "7"})
    desk.now += 119
    assert await desk.step() == 0
    desk.now += 2
    assert await desk.step() == 1


async def test_what_the_shop_does_not_know_is_asked_a_few_times_and_then_quarantined(database: Database) -> None:
    api = Api()
    api.answers["7"] = Unusable("there is no sale 7")
    desk = Desk(database, connected(), api)
    await desk.receive({"event": "sold_thin", "id": "7"})
    for _ in range(NOT_FOUND_TRIES):
        desk.now += HOUR
        await desk.step()
    (webhook,) = await desk.all()
    assert webhook["state"] == "quarantined"
    assert "no sale 7" in webhook["events"][0]["reason"]
    assert len(api.asked) == NOT_FOUND_TRIES + 1


async def test_after_seven_days_without_an_answer_it_is_quarantined_and_can_be_replayed(database: Database) -> None:
    desk = Desk(database, connected(), Api())
    await desk.receive({"event": "sold_thin", "id": "7"})
    desk.now += 6.9 * 86_400
    await desk.step()
    assert (await desk.all())[0]["state"] == "waiting"
    desk.now += 86_400
    await desk.step()
    assert (await desk.all())[0]["state"] == "quarantined"


async def test_without_an_account_webhooks_wait_for_the_operator(database: Database) -> None:
    desk = Desk(database, connected(account=None))
    await desk.receive(sale())
    (webhook,) = await desk.all()
    assert (webhook["state"], webhook["problem"]) == ("waiting", "the connection has no Klaviyo account yet")
    given = Desk(database, connected())
    given.now = desk.now + 61
    await given.step()
    assert (await given.all())[0]["state"] == "mapped"


async def test_backfill_rides_behind_and_starts_no_flows(database: Database) -> None:
    desk = Desk(database, connected())
    await desk.receive(sale(), origin="backfill")
    (command,) = await desk.sent()
    assert command.backfill
    assert json.loads(command.payload)["backfill"] is True


async def test_an_override_of_a_scope_lies_over_the_connections_settings(database: Database) -> None:
    here = connected(prefix="A-")
    scoped = Connected(
        here.id, here.source, "main", True, {}, {"prefix": "A-"}, {"market:fi": ({"prefix": "F-"}, "fi")}
    )
    desk = Desk(database, scoped)
    await desk.receive(sale("1"), sale("2", market="fi"), sale("3", market="se"))
    found = {(c.account_id, json.loads(c.payload)["properties"]["Id"]) for c in await desk.sent()}
    assert found == {("main", "A-1"), ("fi", "F-2"), ("main", "A-3")}
