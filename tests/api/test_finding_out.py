"""Why did this order not arrive? What an operator can look up when something was refused, said twice or left out."""

from __future__ import annotations

import json
import time

from tests.api.conftest import SECRET, Office, Opening
from tests.bench.orders import body

ORDER = "10000001"


async def test_the_receipt_names_the_webhook_and_so_does_that_of_a_repeat(office: Office) -> None:
    await office.set_up()
    first, again = [(await office.post_webhook(body(1))).json() for _ in range(2)]
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert first["webhook"] == again["webhook"]
    assert (await office.ask("GET", f"/api/webhooks/{first['webhook']}"))["state"] == "waiting"


async def test_an_order_is_found_by_its_number(office: Office) -> None:
    await office.set_up()
    for n in range(3):
        await office.post_webhook(body(n))
    await office.translate()
    found = (await office.ask("GET", f"/api/commands?unique_id={ORDER}"))["items"]
    assert [(line["name"], line["unique_id"]) for line in found] == [("Placed Order", ORDER)]
    assert (await office.ask("GET", "/api/commands?unique_id=nobodys"))["items"] == []


async def test_an_order_said_twice_with_other_contents_is_told(office: Office) -> None:
    await office.set_up()
    order = json.loads(body(1))
    ids = []
    for total in (957.0, 1000.0):
        order["data"]["$value"] = total
        ids.append((await office.post_webhook(json.dumps(order).encode())).json()["webhook"])
        await office.translate()
    second = await office.ask("GET", f"/api/webhooks/{ids[1]}")
    (event,) = second["events"]
    assert (event["commands"], second["commands"]) == (0, [])
    wanted = f"Placed Order {ORDER} is not sent again: webhook {ids[0]} said it before, with other contents"
    assert wanted in event["notes"]


async def test_what_a_door_turned_away_is_counted_with_the_reason(open_office: Opening) -> None:
    async with open_office() as office:
        await office.set_up()
        url = "/webhooks/centra/shop/events"
        assert (await office.http.post(url, content=b"{}")).status_code == 401
        assert await _refused(office) == (1, "no readable signature")
        assert (await office.post_webhook(b"{}", secret="not-the-secret")).status_code == 401
        count, reason = await _refused(office)
        assert (count, reason.split(":")[0]) == (2, "wrong signature")
        await office.ask("PATCH", "/api/connections/shop", {"enabled": False})
        answer = await office.post_webhook(b"{}", secret=SECRET)
        assert (answer.status_code, answer.json()["detail"]) == (404, "no such connection")
        assert (await _refused(office))[1].startswith("closed")
        assert (await office.http.post("/webhooks/centra/nobody/events", content=b"{}")).status_code == 404


async def _refused(office: Office) -> tuple[int, str]:
    connection = await office.ask("GET", "/api/connections/shop")
    told = {door["door"]: door["refused"] for door in connection["webhook_urls"]}
    assert told["webhooks"] is None
    assert told["events"]["last_at"][:10] == time.strftime("%Y-%m-%d", time.gmtime())
    return told["events"]["count"], told["events"]["reason"]
