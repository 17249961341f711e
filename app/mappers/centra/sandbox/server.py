"""The stand-in's doors: Centra's ``POST /graphql``, and ``/stand-in/...`` to move the made-up shop's story on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Set
from typing import TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.mappers.centra.sandbox.engine import Execution, Record
from app.mappers.centra.sandbox.limits import Limits
from app.mappers.centra.sandbox.schema import EVERY_PERMISSION, TYPES
from app.mappers.centra.sandbox.world import Impossible, World

DEMO_TOKEN = "stand-in-token"  # noqa: S105 opens nothing but this stand-in

Tokens: TypeAlias = Mapping[str, Set[str]]


class Purchase(BaseModel):
    """Who buys what: ``basket`` is pairs of display item and quantity. Both may be left to the shop."""

    model_config = ConfigDict(extra="forbid")

    customer: int | None = None
    basket: list[tuple[int, int]] | None = None


class StandIn:
    """An ASGI application. ``world``, ``limits``, ``tokens`` and ``types`` may be changed while it runs.

    ``tokens`` maps a token to its permissions; any other is answered 401. ``asked`` lists what was let in, as operation
    and text; ``turned_away`` counts the 429s; ``faults`` are answered, one each, instead of the next questions.
    """

    def __init__(self, world: World, limits: Limits, tokens: Tokens, without: Collection[str]) -> None:
        self.world = world
        self.limits = limits
        self.tokens = dict(tokens)
        self.types = {
            kind: {name: to for name, to in fields.items() if f"{kind}.{name}" not in without}
            for kind, fields in TYPES.items()
            if kind not in without
        }
        self.asked: list[tuple[str, str]] = []
        self.turned_away = 0
        self.faults: deque[Response] = deque()
        self._app = Starlette(
            routes=[
                Route("/graphql", self._graphql, methods=["POST"]),
                Route("/stand-in/orders", self._orders, methods=["GET"]),
                Route("/stand-in/orders", self._place, methods=["POST"]),
                Route("/stand-in/orders/{number:int}/{step}", self._step, methods=["POST"]),
                Route("/stand-in/customers/{id:int}/register", self._register, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _graphql(self, request: Request) -> Response:
        if self.faults:
            return self.faults.popleft()
        now = self.world.clock()
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.tokens:
            return _json({"errors": [{"message": "Unauthorized", "extensions": {"category": "authentication"}}]}, 401)
        if wait := self.limits.wait(now):
            self.turned_away += 1
            return _json({"errors": [{"message": "Too Many Requests"}]}, 429, self.limits.header(wait, now))
        body = orjson.loads(await request.body())
        execution = Execution(self.types, self.tokens[token], lambda root: self._records(root, now))
        answer = execution.answer(body["query"], body.get("operationName", ""), body.get("variables") or {})
        self.limits.spend(execution.complexity)
        self.asked.append((body.get("operationName", ""), body["query"]))
        return _json(answer)

    def _records(self, root: str, now: float) -> list[Record]:
        return self.limits.told(now) if root == "rateLimits" else self.world.records(root)

    async def _orders(self, _: Request) -> Response:
        shown = ("number", "status", "createdAt")
        return _json([{key: order[key] for key in shown} for order in self.world.records("orders")])

    async def _place(self, request: Request) -> Response:
        try:
            wish = Purchase.model_validate_json(await request.body() or b"{}")
        except ValidationError as error:
            return _json({"detail": str(error)}, 422)
        return self._told(lambda: self.world.place(wish.customer, wish.basket))

    async def _step(self, request: Request) -> Response:
        steps = {
            "confirm": self.world.confirm,
            "cancel": self.world.cancel,
            "ship": self.world.ship,
            "return": self.world.give_back,
        }
        step = steps.get(request.path_params["step"])
        if step is None:
            return _json({"detail": f"steps are {', '.join(steps)}"}, 404)
        return self._told(lambda: step(request.path_params["number"]))

    async def _register(self, request: Request) -> Response:
        return self._told(lambda: self.world.register(request.path_params["id"]))

    def _told(self, step: Callable[[], list[Record]]) -> Response:
        """The webhook events that Centra would send now."""
        try:
            return _json({"events": step()})
        except Impossible as error:
            return _json({"detail": str(error)}, 409)


def create_stand_in(
    world: World | None = None,
    *,
    limits: Limits | None = None,
    tokens: Tokens | None = None,
    without: Collection[str] = (),
    clock: Callable[[], float] = time.time,
) -> StandIn:
    """A stand-in Centra with the demo shop, all permissions for ``DEMO_TOKEN``, and a fresh instance's limits.

    ``without`` names what its schema lacks: ``"Order.language"``, ``"AppliedVoucher"``. ``clock``: epoch seconds.
    """
    return StandIn(world or World.demo(clock), limits or Limits(), tokens or {DEMO_TOKEN: EVERY_PERMISSION}, without)


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")
