"""Figures: sets of calls that can be put together."""

import pytest

from usage.rollups.figures import Figures, total
from usage.rollups.folding import COUNTERS


def row(first: int) -> Figures:
    return Figures.of_row(range(first, first + len(COUNTERS)), b"l%d" % first, b"t%d" % first)


@pytest.mark.parametrize("name", COUNTERS)
def test_every_counter_is_added_up(name):
    place = COUNTERS.index(name)
    assert getattr(row(1), name) == 1 + place
    assert getattr(total([row(1), row(100), row(7)]), name) == 108 + 3 * place


def test_sketches_go_along_and_the_parts_stay_as_they_are():
    parts = [row(1), row(2)]
    whole = total(parts)
    assert (whole.latency_sketches, whole.ttft_sketches) == ([b"l1", b"l2"], [b"t1", b"t2"])
    assert parts == [row(1), row(2)]


def test_a_set_without_calls_has_no_rates():
    nothing = total([])
    assert (nothing.calls, nothing.success_rate, nothing.latency_avg, nothing.ttft_avg) == (0, None, None, None)
