"""Every golden pair holds, and every mapping of every platform has one."""

from __future__ import annotations

import json

import pytest

from app.mappers.registry import PLATFORMS
from tests.mappers.golden import Pair, pairs, shown

PAIRS = list(pairs())


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.id for pair in PAIRS])
def test_a_webhook_becomes_what_its_golden_file_says(pair: Pair) -> None:
    made = shown(pair.judged())
    # Compared as text as well: 1 is not 1.0 and -0.0 is not 0.
    assert made == pair.expected
    assert json.dumps(made, sort_keys=True) == json.dumps(pair.expected, sort_keys=True)


@pytest.mark.parametrize(
    ("platform", "slug"),
    [(source.name, slug) for source in PLATFORMS for slug in sorted({m.slug for m in source.table.values()})],
)
def test_every_mapping_has_a_golden_pair_that_sends_something(platform: str, slug: str) -> None:
    sent = [pair.id for pair in PAIRS if (pair.platform, pair.slug) == (platform, slug) and pair.made()]
    assert sent


def test_no_golden_pair_is_left_over() -> None:
    known = {(source.name, mapping.slug) for source in PLATFORMS for mapping in source.table.values()}
    assert {(pair.platform, pair.slug) for pair in PAIRS} <= known


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.id for pair in PAIRS])
def test_a_golden_pair_stands_in_the_folder_of_its_mapping(pair: Pair) -> None:
    assert {result.slug for result in pair.judged()} == {pair.slug}
