"""A stand-in Centra: a made-up shop behind the Integration API, for the demo and the tests; no code of the client."""

from app.mappers.centra.sandbox.limits import Limits
from app.mappers.centra.sandbox.server import DEMO_TOKEN, StandIn, create_stand_in
from app.mappers.centra.sandbox.signing import form, sign
from app.mappers.centra.sandbox.world import World

__all__ = ["DEMO_TOKEN", "Limits", "StandIn", "World", "create_stand_in", "form", "sign"]
