"""Klaviyo's two windows, counted and corrected."""

from __future__ import annotations

from app.klaviyo.pacing import LIMITS, Limit, Pace, paces, stored

LIMIT = Limit(burst=10, steady=150)  # we use nine tenths: 9 a second, 135 a minute


def test_nine_tenths_of_the_burst_go_at_once_and_the_next_waits_for_the_second_to_end() -> None:
    pace = Pace().sent(9, now=1000.0)
    assert pace.room(LIMIT, 1000.2) == 0
    assert abs(pace.wait(LIMIT, 1000.2) - 0.8) < 1e-6
    assert pace.room(LIMIT, 1001.0) == 9
    assert pace.wait(LIMIT, 1001.0) == 0.0


def test_the_minute_closes_when_its_share_is_used() -> None:
    pace = Pace()
    for second in range(15):
        pace = pace.sent(9, now=1000.0 + second)
    assert pace.room(LIMIT, 1015.0) == 0
    assert abs(pace.wait(LIMIT, 1015.0) - 45.0) < 1e-6
    assert pace.room(LIMIT, 1060.0) == 9


def test_what_others_used_counts() -> None:
    pace = Pace().sent(1, now=1000.0)
    told = pace.told({"ratelimit-remaining": "10", "ratelimit-reset": "30"}, LIMIT, now=1000.0)
    assert told.room(LIMIT, 1000.1) == 0
    assert abs(told.wait(LIMIT, 1000.1) - 29.9) < 1e-6


def test_a_server_that_counts_less_than_we_sent_is_behind() -> None:
    pace = Pace().sent(9, now=1000.0)
    assert pace.told({"ratelimit-remaining": "150", "ratelimit-reset": "60"}, LIMIT, now=1000.0) == pace
    assert pace.told({"ratelimit-remaining": "many"}, LIMIT, now=1000.0) == pace


def test_a_clock_that_jumps_back_opens_a_new_window_and_never_waits_longer_than_it() -> None:
    pace = Pace().sent(135, now=5000.0)
    assert pace.wait(LIMIT, 1000.0) == 0.0


def test_a_pace_survives_in_the_lanes_row() -> None:
    before = {path: Pace().sent(3, now=7.5) for path in LIMITS}
    assert paces(stored(before)) == before
    assert paces("{}") == {}


def test_a_share_leaves_room_for_the_merchants_other_tools() -> None:
    pace = Pace().sent(4, now=1000.0)
    assert (pace.room(LIMIT, 1000.5, 0.5), pace.room(LIMIT, 1000.5, 1.0)) == (1, 6)
    assert pace.sent(1, now=1000.5).wait(LIMIT, 1000.5, 0.5) == 0.5
