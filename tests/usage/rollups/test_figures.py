"""Figures: sets of calls that can be put together."""

import random
from typing import Any

import numpy as np
import pytest

from usage.rollups import figures as figures_module
from usage.rollups.figures import Figures, fill_percentiles, total
from usage.rollups.folding import COUNTERS
from usage.rollups.sketch import sketches_of


def row(first: int) -> Figures:
    return Figures.of_row(range(first, first + len(COUNTERS)), b"l%d" % first, b"t%d" % first)


@pytest.mark.parametrize("name", COUNTERS)
def test_every_counter_is_added_up(name: Any) -> None:
    place = COUNTERS.index(name)
    assert getattr(row(1), name) == 1 + place
    assert getattr(total([row(1), row(100), row(7)]), name) == 108 + 3 * place


def test_sketches_go_along_and_the_parts_stay_as_they_are() -> None:
    parts = [row(1), row(2)]
    whole = total(parts)
    assert (whole.latency_sketches, whole.ttft_sketches) == ([b"l1", b"l2"], [b"t1", b"t2"])
    assert parts == [row(1), row(2)]


def test_a_set_without_calls_has_no_rates() -> None:
    nothing = total([])
    assert (nothing.calls, nothing.success_rate, nothing.latency_avg, nothing.ttft_avg) == (0, None, None, None)


def test_percentiles_of_many_sets_are_the_same_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    rows = [[rng.randrange(1, 9_000) for _call in range(rng.randrange(4))] for _set in range(23)]
    wholes = [slice(None), slice(4, 9), slice(11, 12), slice(3, 3)]

    def filled() -> list[Any]:
        parts = [Figures(latency_sketches=list(sketches_of([np.array(row, dtype=np.int64)]))) for row in rows]
        whole = [(Figures(), part) for part in wholes]
        fill_percentiles(parts, whole)
        return [one.latency for one in [*parts, *(figures for figures, _part in whole)]]

    at_once = filled()
    monkeypatch.setattr(figures_module, "_AT_ONCE", 5)
    assert filled() == at_once
    assert at_once[-1].p50 is None
