"""The made-up shop at work: orders are placed, confirmed, cancelled, shipped and returned, one step at a time.

Each step gives the webhook events that Centra would send about it, ready for ``form`` and ``sign``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from app.mappers.centra.sandbox.records import (
    Line,
    Order,
    Part,
    Return,
    Shipment,
    order_record,
    return_record,
    shipment_record,
)
from app.mappers.centra.sandbox.shop import CATALOGUE, CURRENCIES, PEOPLE, Record

_DAY = 86_400.0


class Impossible(Exception):
    """The order is not in a state for this step, or there is no such thing."""


class World:
    """``clock`` gives epoch seconds. ``fixed`` holds further records as Centra shows them, by root field."""

    def __init__(
        self, clock: Callable[[], float] = time.time, fixed: Mapping[str, Sequence[Record]] | None = None
    ) -> None:
        self.clock = clock
        self._ago = 0.0
        self._fixed = dict(fixed or {})
        self._orders: dict[int, Order] = {}
        self._customers: dict[int, Record] = {}
        self._order_numbers = count(50_211)
        self._line_ids = count(170_001)
        self._part_ids = count(260_001)
        self._shipment_ids = count(14_801)
        self._return_ids = count(2_301)

    @classmethod
    def demo(cls, clock: Callable[[], float] = time.time) -> World:
        """Three days of trade: 50211 partly returned, 50212 confirmed, 50213 cancelled, 50214 just placed."""
        world = cls(clock)
        world._ago = 3 * _DAY
        world.place(880102, [(6101, 1), (6102, 2)], voucher=Decimal("10.00"))
        world.confirm(50_211)
        world._ago = 2 * _DAY
        world.ship(50_211)
        world.register(880101)
        world.place(880101, [(6103, 1)])
        world.confirm(50_212)
        world._ago = _DAY
        world.place(880102, [(6102, 1)])
        world.cancel(50_213)
        world._ago = 0.0
        world.give_back(50_211)
        world.place(880101, [(6101, 1), (6103, 2)])
        return world

    def records(self, root: str) -> list[Record]:
        """All records of a root field of the Integration API."""
        orders = self._orders.values()
        own: dict[str, list[Record]] = {
            "orders": [order_record(order) for order in orders],
            "shipments": [shipment_record(order, one) for order in orders for one in order.shipments],
            "returns": [return_record(order, one) for order in orders for one in order.returns],
            "customers": list(self._customers.values()),
            "displayItems": [product.display_item for product in CATALOGUE.values()],
            "currencies": CURRENCIES,
        }
        return [*self._fixed.get(root, ()), *own[root]]

    def place(
        self,
        customer: int | None = None,
        basket: Sequence[tuple[int, int]] | None = None,
        *,
        voucher: Decimal = Decimal(0),
    ) -> list[Record]:
        """``basket`` is pairs of display item and quantity; without arguments somebody buys a bag."""
        person = PEOPLE.get(customer if customer is not None else 880101)
        chosen = [(CATALOGUE.get(item), quantity) for item, quantity in basket or [(6103, 1)]]
        lines = [
            Line(next(self._line_ids), product, quantity, product.price(person.currency))
            for product, quantity in chosen
            if person and product and quantity > 0
        ]
        if not person or len(lines) < len(chosen):
            raise Impossible("customers are 880101 and 880102, display items 6101, 6102 and 6103")
        now = self._now()
        number = next(self._order_numbers)
        self._orders[number] = Order(number, person, now, now, lines, voucher)
        record = self._customers.setdefault(person.id, person.record(self._iso()))
        record["totalOrders"] = sum(order.person is person for order in self._orders.values())
        return [self._event("order", "insert", number)]

    def confirm(self, number: int) -> list[Record]:
        self._change(number, "CONFIRMED", "PENDING")
        return [self._event("order", "update", number)]

    def cancel(self, number: int) -> list[Record]:
        self._change(number, "CANCELLED", "PENDING", "CONFIRMED")
        return [self._event("order", "update", number)]

    def ship(self, number: int) -> list[Record]:
        """Everything that has not left yet, in one shipment."""
        order = self._change(number, "SHIPPED", "CONFIRMED", "PROCESSING")
        left = [line for line in order.lines if line.shipped < line.quantity]
        parts = [Part(next(self._part_ids), line, line.quantity - line.shipped) for line in left]
        for part in parts:
            part.line.shipped += part.quantity
        shipment = Shipment(next(self._shipment_ids), f"{number}-{len(order.shipments) + 1}", self._now(), parts)
        order.shipments.append(shipment)
        return [
            self._event("shipment", "create", shipment.id),
            self._event("shipment", "update", shipment.id),
            self._event("order", "update", number),
        ]

    def give_back(self, number: int) -> list[Record]:
        """One piece of what was shipped last comes back and is refunded."""
        order = self._change(number, "SHIPPED", "SHIPPED")
        sent = [part for one in order.shipments for part in one.parts if part.line.returned < part.line.shipped]
        if not sent:
            raise Impossible(f"all of order {number} has come back already")
        sent[-1].line.returned += 1
        part = Part(next(self._part_ids), sent[-1].line, 1, shipment_line=sent[-1].id)
        returned = Return(next(self._return_ids), self._now(), [part])
        order.returns.append(returned)
        return [self._event("return", "update", returned.id)]

    def register(self, customer: int) -> list[Record]:
        """Somebody makes an account."""
        person = PEOPLE.get(customer)
        if not person:
            raise Impossible("customers are 880101 and 880102")
        record = self._customers.setdefault(customer, person.record(self._iso()))
        record["isRegistered"] = True
        record["updatedAt"] = self._iso()
        return [self._event("customer", "update", customer)]

    def _change(self, number: int, status: str, *allowed: str) -> Order:
        order = self._orders.get(number)
        if not order:
            raise Impossible(f"there is no order {number}")
        if order.status not in allowed:
            raise Impossible(f"order {number} is {order.status}")
        order.status = status
        order.updated = self._now()
        return order

    def _now(self) -> float:
        return self.clock() - self._ago

    def _iso(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")

    def _event(self, kind: str, action: str, number: int) -> Record:
        date = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        return {"type": kind, "action": action, "date": date, "id": number}
