"""Latency sketches: any percentile within 2 %, mergeable, small."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.rollups.sketch import (
    BUCKETS,
    FIRST,
    MAX_MS,
    Ints,
    bucket_of,
    decode,
    encode,
    histograms,
    merged,
    percentiles,
    sketch_of,
    without,
)

SHARES = (0.01, 0.5, 0.9, 0.95, 0.99, 1.0)

milliseconds = st.integers(0, 50) | st.integers(0, 5000) | st.integers(0, MAX_MS)
values = st.lists(milliseconds, min_size=1, max_size=300)


def histogram_of(sketch: bytes) -> Ints:
    return histograms([sketch], np.zeros(1, dtype=np.int64), 1)


@given(values)
def test_every_percentile_is_within_2_percent_of_numpys(some: Any) -> None:
    (found,) = percentiles(histogram_of(sketch_of(some)), SHARES)
    exact = np.quantile(np.array(some), SHARES, method="inverted_cdf")
    assert np.all(np.abs(found - exact) <= 0.02 * exact), (found, exact)


@given(st.integers(0, 33))
def test_small_values_are_exact(value: Any) -> None:
    assert percentiles(histogram_of(sketch_of([value])), [0.5])[0, 0] == value


@given(st.lists(values, min_size=1, max_size=5))
def test_merging_is_the_sketch_of_all_values_in_any_order(parts: Any) -> None:
    whole = sketch_of([value for part in parts for value in part])
    sketches = [sketch_of(part) for part in parts]
    assert merged(sketches) == merged(reversed(sketches)) == whole
    assert merged([whole]) == whole
    assert merged([whole, b""]) == whole
    # The database joins sketches end to end, which counts the same.
    assert (histogram_of(b"".join(sketches)) == histogram_of(whole)).all()


@given(st.lists(milliseconds), st.lists(milliseconds))
def test_what_is_taken_out_again_leaves_the_sketch_of_the_rest(rest: Any, taken: Any) -> None:
    assert without(sketch_of([*rest, *taken]), sketch_of(taken)) == sketch_of(rest)


@given(st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 200_000), max_size=20))
def test_what_was_encoded_is_decoded_also_counts_beyond_16_bits(counts: Any) -> None:
    buckets = np.array(sorted(counts), dtype=np.int64)
    sketch = encode(buckets, np.array([counts[bucket] for bucket in sorted(counts)], dtype=np.int64))
    lengths, found, numbers = decode([sketch, sketch])
    assert lengths.tolist() == [len(sketch) // 4] * 2
    found, numbers = found[: lengths[0]], numbers[: lengths[0]]
    sums: dict[int, int] = {}
    for bucket, number in zip(found.tolist(), numbers.tolist(), strict=True):
        assert 1 <= number <= 65_535
        sums[bucket] = sums.get(bucket, 0) + number
    assert sums == counts
    assert len(sketch) == 4 * sum(-(-count // 65_535) for count in counts.values())
    assert merged([sketch]) == sketch


@pytest.mark.parametrize("count", [1, 65_534, 65_535, 65_536, 131_070, 131_071, 10_000_000])
def test_a_bucket_of_any_count_survives_merging(count: int) -> None:
    one = encode(np.array([70]), np.array([count]))
    assert histogram_of(merged([one, one]))[0, 70] == 2 * count


@given(milliseconds)
def test_a_value_is_in_its_bucket(value: Any) -> None:
    (bucket,) = bucket_of(np.array([value]))
    assert FIRST[bucket] <= value < FIRST[bucket + 1]


def test_buckets_grow_and_reach_a_week() -> None:
    assert (np.diff(FIRST) > 0).all()
    assert FIRST[-1] > MAX_MS
    assert bucket_of(np.array([MAX_MS]))[0] == BUCKETS - 1


def test_of_more_sketches_than_are_unpacked_together_none_is_lost() -> None:
    groups = np.arange(1_201) % 7
    rows = histograms([sketch_of([int(group)] * 2) for group in groups], groups, 7)
    assert [int(rows[group, group]) for group in range(7)] == [2 * int(count) for count in np.bincount(groups)]
    assert rows.sum() == 2 * 1_201


def test_buckets_can_be_counted_in_fewer_columns() -> None:
    columns = np.minimum(np.arange(BUCKETS) // 10, 2)
    rows = histograms([sketch_of([3, 9, 10]), sketch_of([25])], np.array([0, 1]), 2, columns)
    assert rows.tolist() == [[2, 1, 0], [0, 0, 1]]


def test_groups_are_kept_apart_and_no_values_are_no_number() -> None:
    rows = histograms([sketch_of([5]), sketch_of([7]), b"", sketch_of([5])], np.array([0, 1, 2, 0]), 3)
    found = percentiles(rows, [0.5])
    assert found[:2, 0].tolist() == [5, 7]
    assert np.isnan(found[2, 0])
    assert rows.sum(axis=1).tolist() == [2, 1, 0]
