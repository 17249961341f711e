"""The README's table of events is today's."""

from __future__ import annotations

from tests.readme import README, wanted


def test_the_table_of_events_is_current() -> None:
    assert README.read_text() == wanted(), "run python -m tests.readme"
