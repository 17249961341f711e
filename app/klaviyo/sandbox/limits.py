"""Klaviyo's rate limits: two fixed windows (and sometimes a day) per account and endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

BURST, STEADY, DAY = 1.0, 60.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls allowed per second, per minute and, for some endpoints, per day (Klaviyo: `x-klaviyo-ratelimit`)."""

    burst: int
    steady: int
    daily: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the windows say about one call; times in whole real seconds, rounded up.

    `retry_after` is 0 for a call that may pass. `limit`, `remaining` and `reset` describe the minute, as Klaviyo does.
    """

    limit: int
    remaining: int
    reset: int
    retry_after: int


@dataclass(slots=True)
class _Window:
    """One fixed window of one account and endpoint; times in scaled seconds."""

    length: float
    start: float = float("-inf")
    used: int = 0

    def roll(self, now: float, *, aligned: bool) -> None:
        if now >= self.start + self.length or now < self.start:
            self.start = now - now % self.length if aligned else now
            self.used = 0

    def left(self, now: float) -> float:
        return self.start + self.length - now


@dataclass(slots=True)
class Windows:
    """The windows of every account and endpoint.

    `scale` says how many times faster than the clock the windows run: at 60 a minute has passed after one real second.
    Answers stay honest in real time: `Retry-After` is the real time left, rounded up to a whole second, and never below
    1. So at a scale above 1 it may be longer than needed, but who waits for it is let through, as with Klaviyo.

    Klaviyo does not say where a window begins. By default it begins with the first call after the last one ended;
    `aligned` windows begin at whole seconds and minutes of the clock, which catches a client that lets one full window
    of its own follow on another. A refused call does not count.
    """

    scale: float = 1.0
    aligned: bool = False
    _open: dict[tuple[str, str], list[_Window]] = field(default_factory=dict)

    def retime(self, *, scale: float, aligned: bool) -> None:
        """Run at another scale from now on; every window starts anew."""
        self.scale = scale
        self.aligned = aligned
        self._open.clear()

    def take(self, account: str, endpoint: str, limit: Limit, now: float) -> Verdict:
        """Count a call at `now` (seconds of the clock), unless a window is full."""
        then = now * self.scale
        windows = self._open.setdefault((account, endpoint), [_Window(BURST), _Window(STEADY), _Window(DAY)])
        allowed = (limit.burst, limit.steady, limit.daily)
        full = []
        for window, calls in zip(windows, allowed, strict=True):
            window.roll(then, aligned=self.aligned)
            if calls is not None and window.used >= calls:
                full.append(window.left(then))
        if not full:
            for window in windows:
                window.used += 1
        steady = windows[1]
        return Verdict(
            limit=limit.steady,
            remaining=max(0, limit.steady - steady.used),
            reset=ceil(steady.left(then) / self.scale),
            retry_after=max(1, ceil(max(full) / self.scale)) if full else 0,
        )
