"""Row ids: 63-bit, ordered by time, made in the application so that an insert needs no answer."""

from __future__ import annotations

import threading
import time
from random import Random

RANDOM_BITS = 21


class Ids:
    """Each ``next()`` is larger than the last; processes differ by chance, the primary key settles the rest."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()
        self._bits = Random().getrandbits  # noqa: S311 unlike any other process's, not secret

    def next(self) -> int:
        """Milliseconds since the epoch in the upper bits, chance in the lower 21."""
        with self._lock:
            now = (time.time_ns() // 1_000_000) << RANDOM_BITS
            self._last = max(self._last + 1, now | self._bits(RANDOM_BITS - 1))
            return self._last


new_id = Ids().next
