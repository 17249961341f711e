"""When to try again: full jitter, one second doubling to a quarter of an hour, for seven days."""

from __future__ import annotations

from collections.abc import Callable
from random import SystemRandom

FIRST_SECONDS = 1.0
MOST_SECONDS = 900.0
HORIZON_SECONDS = 7 * 86_400.0

chance = SystemRandom().random


def backoff(attempts: int, chance: Callable[[], float] = chance) -> float:
    """Seconds to wait after ``attempts`` failures; ``chance`` gives 0 to 1."""
    return min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts, 20)) * chance()


def expired(since_ms: int, now: float) -> bool:
    """Whether something first tried at ``since_ms`` (epoch ms) has used up its seven days; ``now`` in epoch seconds."""
    return now - since_ms / 1000 > HORIZON_SECONDS
