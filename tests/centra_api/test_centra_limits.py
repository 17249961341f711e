"""Both rate windows: respected before sending, and believed when Centra says they are used up."""

from __future__ import annotations

import pytest

from app.errors import FetchFailed
from app.mappers.centra.quota import Quota, retry_after
from app.mappers.centra.sandbox import Limits, create_stand_in
from app.mappers.centra.sandbox.limits import RetryAfter
from tests.centra_api.centra_stage import NOON, Clock, Stage, staged


async def customers(stage: Stage, times: int) -> None:
    for _ in range(times):
        await stage.fetch("customer", 880101)


async def test_the_short_window_is_waited_for() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, limits=Limits(requests_ten_seconds=5)), clock) as stage:
        await customers(stage, 14)
    # 15 questions with the one about the limits; 5 are free, the others come back one every 2 s.
    assert clock.now - NOON == pytest.approx(20.0)
    assert max(clock.slept) <= 3
    assert stage.stand_in.turned_away == 0


async def test_a_burst_takes_turns() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, limits=Limits(requests_ten_seconds=10)), clock) as stage:
        await customers(stage, 1)
        waits = [stage.api._graphql._quotas[stage.shop.base_url or ""].reserve(0, clock.now, 3.0) for _ in range(12)]
    assert waits == pytest.approx([0] * 8 + [1.0, 2.0, 3.0, 4.0])  # the last one was not taken
    assert stage.stand_in.turned_away == 0


async def test_the_long_window_is_left_to_the_schedule() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, limits=Limits(requests_hour=6)), clock) as stage:
        await customers(stage, 5)
        with pytest.raises(FetchFailed, match="rate limit") as caught:
            await customers(stage, 1)
        assert caught.value.retry_after == pytest.approx(600)
        assert not caught.value.operator
        assert len(stage.operations) == 6
        clock.now += 600
        await customers(stage, 1)
    assert stage.stand_in.turned_away == 0


async def test_complexity_is_waited_for() -> None:
    clock = Clock()
    limits = Limits(requests_ten_seconds=1_000, complexity_ten_seconds=2_000)
    async with staged(create_stand_in(clock=clock, limits=limits), clock) as stage:
        for _ in range(15):
            await stage.fetch("order", 50211)  # 283 points each
        assert clock.now - NOON > 10
        assert max(clock.slept) <= 3
        assert stage.stand_in.turned_away == 0


async def test_complexity_that_takes_long_to_come_back_is_left_to_the_schedule() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, limits=Limits(complexity_hour=1_000)), clock) as stage:
        for _ in range(3):
            await stage.fetch("order", 50211)  # 283 points each, and once 42 for the display items
        with pytest.raises(FetchFailed) as caught:
            await stage.fetch("order", 50211)
    assert caught.value.retry_after == pytest.approx(626.4)  # 109 are left, 174 come back at one in 3.6 s
    assert stage.stand_in.turned_away == 0


async def test_what_others_use_is_learned_at_first() -> None:
    clock = Clock()
    limits = Limits(requests_hour=100)
    for _ in range(98):
        limits.wait(clock.now)
        limits._used["r10"] = 0
    async with staged(create_stand_in(clock=clock, limits=limits), clock) as stage:
        await customers(stage, 1)
        with pytest.raises(FetchFailed) as caught:
            await customers(stage, 1)
    assert caught.value.retry_after == pytest.approx(36)
    assert stage.stand_in.turned_away == 0


@pytest.mark.parametrize("form", ["epoch", "seconds", "date"])
async def test_429_is_obeyed_in_every_form(form: RetryAfter) -> None:
    clock = Clock()
    limits = Limits(requests_ten_seconds=2, requests_hour=3600, retry_after=form)
    async with staged(create_stand_in(clock=clock, limits=limits), clock) as stage:
        await customers(stage, 1)
        limits._used["r10"] = 20  # somebody else, behind our back
        clock.now += 9  # our own count says: go ahead
        with pytest.raises(FetchFailed, match="says that its rate limit is used up") as caught:
            await customers(stage, 1)
        assert stage.stand_in.turned_away == 1
        assert caught.value.retry_after == 87  # 20 used, 1.8 drained, 17.2 + 1 too many at 5 s each is 86, rounded up
        with pytest.raises(FetchFailed) as again:
            await customers(stage, 1)
        assert again.value.retry_after == pytest.approx(87)
        assert stage.stand_in.turned_away == 1  # nothing was sent before its time
        clock.now += 97
        await customers(stage, 1)
    assert stage.operations == ["RateLimits", "Customer", "RateLimits", "Customer"]  # it looks again at the figures


async def test_a_short_429_is_waited_for() -> None:
    clock = Clock()
    limits = Limits(requests_ten_seconds=20, retry_after="seconds")
    async with staged(create_stand_in(clock=clock, limits=limits), clock) as stage:
        await customers(stage, 1)
        limits._used["r10"] = 21
        await customers(stage, 1)
    assert stage.stand_in.turned_away == 1
    assert clock.slept == [pytest.approx(2.0)]


async def test_a_429_stops_those_who_wait_for_their_turn() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, limits=Limits(requests_ten_seconds=5)), clock) as stage:
        await customers(stage, 4)
        quota = stage.api._graphql._quotas[stage.shop.base_url or ""]

        async def sleep(seconds: float) -> None:
            clock.now += seconds
            quota.close(30, clock.now)

        stage.api._graphql._sleep = sleep
        with pytest.raises(FetchFailed) as caught:
            await customers(stage, 1)
    assert caught.value.retry_after == pytest.approx(30)
    assert len(stage.operations) == 5


async def test_429_without_a_time_means_the_short_window() -> None:
    clock = Clock()
    limits = Limits(requests_ten_seconds=2, retry_after="none")
    async with staged(create_stand_in(clock=clock, limits=limits), clock) as stage:
        await customers(stage, 1)
        limits._used["r10"] = 20
        clock.now += 9
        with pytest.raises(FetchFailed) as caught:
            await customers(stage, 1)
    assert caught.value.retry_after == 10


async def test_a_centra_without_rate_limits_query_gets_the_smallest_quota() -> None:
    clock = Clock()
    async with staged(create_stand_in(clock=clock, without={"Query.rateLimits"}), clock) as stage:
        await customers(stage, 19)
        assert clock.slept == []
        await customers(stage, 1)
        assert clock.slept == [pytest.approx(0.5)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("86400", 3600),
        ("1795176030", 30),
        ("1795176030.5", 30.5),
        ("1795170000", 0),
        ("1795200000", 3600),
        ("999999999999999", 3600),
        ("9" * 400, None),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60),
        ("Friday, 20-Nov-26 12:01:00 GMT", 60),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("2026-11-20T12:00:45Z", 45),
        ("2026-11-20T13:00:45+01:00", 45),
        ("2026-11-20 12:00:45", 45),
        ("Fri, 99 Nov 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOON) == (None if seconds is None else pytest.approx(seconds))


def test_figures_that_make_no_sense_are_not_taken_over() -> None:
    quota = Quota(0.0)
    quota.learn(
        [
            {"type": "REQUEST_COUNT", "intervalSeconds": "TEN_SECONDS", "quota": 0, "remainingQuota": 0},
            {"type": "MUTATION_COUNT", "intervalSeconds": "TEN_SECONDS", "quota": 1, "remainingQuota": 0},
            {"type": "REQUEST_COUNT", "intervalSeconds": "ONE_DAY", "quota": 1, "remainingQuota": 0},
        ],
        0.0,
    )
    assert [quota.reserve(0, 0.0, 3.0) for _ in range(20)] == [0.0] * 20
    assert quota.reserve(0, 0.0, 3.0) == pytest.approx(0.5)


def test_time_that_runs_backwards_adds_nothing() -> None:
    quota = Quota(100.0)
    for _ in range(20):
        quota.reserve(0, 100.0, 3.0)
    assert quota.reserve(0, 50.0, 0.0) == pytest.approx(0.5)


def test_a_question_larger_than_a_full_bucket_is_asked_of_a_full_one() -> None:
    quota = Quota(0.0)
    assert quota.reserve(400_000, 0.0, 3.0) == 0
    assert quota.reserve(1, 0.0, 3.0) == pytest.approx(16.67, abs=0.01)  # 250,001 too many at 15,000 a second
