"""Latency sketches: compact, mergeable histograms, from which percentiles are computed within 1.5 %.

The buckets are spaced logarithmically as in DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable
quantile sketch", VLDB 2019). Small values have a bucket each, so values below 67 ms are exact. A sketch is
stored as pairs (bucket, count) of unsigned 16-bit numbers, ascending by bucket; empty buckets are left out, and
a count beyond 65,535 takes several pairs. That is twice the size of variable-length numbers, but numpy merges
thousands of sketches at a time without a loop.
"""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

# Each bucket's upper edge is 3 % above its lower edge: its middle is at most 1.5 % off any value in it.
_GROWTH = 1.03
MAX_MS = 7 * 24 * 3600 * 1000  # a week; nothing longer is accepted as a latency
_PAIR = np.dtype([("bucket", "<u2"), ("count", "<u2")])
_MOST = 65_535

Ints = NDArray[np.int64]
Shorts = NDArray[np.uint16]
Floats = NDArray[np.float64]


def _first_values() -> Ints:
    """Returns the smallest value (ms) of each bucket, and the end of the last: 0, 1, 2, … 66, 67, 69, 71, …"""
    values = [0]
    while values[-1] <= MAX_MS:
        values.append(max(values[-1] + 1, int(values[-1] * _GROWTH)))
    return np.array(values, dtype=np.int64)


FIRST = _first_values()
BUCKETS = len(FIRST) - 1
_EACH: Ints = np.arange(BUCKETS)
# The number of sketches that are decoded together, to stay in the processor's cache: 2,000 hours of a busy team would
# take 40 MB, and twice as long.
_AT_A_TIME = 250
# The value that stands for all values of a bucket: the middle of its smallest and greatest.
MIDDLE: Floats = (FIRST[:-1] + FIRST[1:] - 1) / 2


def bucket_of(milliseconds: Ints) -> Ints:
    """Returns the bucket number of each value (0 ≤ value ≤ MAX_MS)."""
    return np.searchsorted(FIRST, milliseconds, side="right").astype(np.int64) - 1


def encode(buckets: Ints, counts: Ints) -> bytes:
    """Returns a sketch as bytes, from bucket numbers (ascending, distinct) and their counts (at least 1)."""
    return encode_all(np.zeros(len(buckets), dtype=np.int64), buckets, counts, 1)[0]


def encode_all(owners: Ints, buckets: Ints, counts: Ints, size: int) -> list[bytes]:
    """Returns `size` sketches as bytes. `owners[i]` (ascending) is the number of the sketch that `buckets[i]`
    belongs to.
    """
    if counts.size and counts.max() > _MOST:
        times = (counts + _MOST - 1) // _MOST
        last = np.cumsum(times) - 1
        owners, buckets = np.repeat(owners, times), np.repeat(buckets, times)
        rest = counts - (times - 1) * _MOST
        counts = np.full(len(buckets), _MOST, dtype=np.int64)
        counts[last] = rest
    pairs = np.empty(len(buckets), dtype=_PAIR)
    pairs["bucket"], pairs["count"] = buckets, counts
    data = pairs.tobytes()
    edges = (np.searchsorted(owners, np.arange(size + 1)) * _PAIR.itemsize).tolist()
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def decode(sketches: Sequence[bytes]) -> tuple[Ints, Shorts, Shorts]:
    """Returns the number of pairs of each sketch, and the buckets and counts of all sketches, concatenated."""
    lengths = np.fromiter((len(sketch) for sketch in sketches), dtype=np.int64, count=len(sketches))
    numbers = np.frombuffer(b"".join(sketches), dtype="<u2")
    return lengths // _PAIR.itemsize, numbers[0::2], numbers[1::2]


def histograms(sketches: Sequence[bytes], groups: Ints, size: int, columns: Ints = _EACH) -> Ints:
    """Adds up sketches by group and returns an array of counts with `size` rows and BUCKETS columns.

    `groups[i]` is the row of sketch i. `columns` can map the buckets to fewer columns (ascending).
    """
    width = int(columns[-1]) + 1
    flat = np.zeros(size * width, dtype=np.int64)
    for first in range(0, len(sketches), _AT_A_TIME):
        part = slice(first, first + _AT_A_TIME)
        lengths, buckets, counts = decode(sketches[part])
        low, high = int(groups[part].min()), int(groups[part].max()) + 1
        cells = np.repeat((groups[part] - low) * width, lengths) + columns[buckets]
        counted = np.bincount(cells, weights=counts, minlength=(high - low) * width)
        flat[low * width : high * width] += counted.astype(np.int64)
    return flat.reshape(size, width)


def merged(sketches: Iterable[bytes]) -> bytes:
    """Merges several sketches into one of all their values."""
    parts = list(sketches)
    return merged_by(parts, np.zeros(len(parts), dtype=np.int64), 1)[0]


def without(sketch: bytes, taken: bytes) -> bytes:
    """Subtracts the sketch `taken` from `sketch`, which must contain all its values."""
    one, other = histograms([sketch, taken], np.array([0, 1]), 2)
    counts = one - other
    buckets = np.flatnonzero(counts > 0)
    return encode(buckets, counts[buckets])


def merged_by(sketches: Sequence[bytes], groups: Ints, size: int, signs: Ints | None = None) -> list[bytes]:
    """Merges sketches by group and returns `size` sketches. `groups[i]` is the group of sketch i.

    With `signs`, sketch i is added (1) or subtracted (-1).
    """
    lengths, buckets, counts = decode(sketches)
    weights = counts if signs is None else counts * np.repeat(signs, lengths)
    cells, inverse = np.unique(np.repeat(groups * BUCKETS, lengths) + buckets, return_inverse=True)
    sums = np.bincount(inverse, weights=weights, minlength=len(cells)).astype(np.int64)
    if signs is not None:
        cells, sums = cells[sums > 0], sums[sums > 0]
    owners, kept = np.divmod(cells, BUCKETS)
    return encode_all(owners, kept, sums, size)


def sketch_of(milliseconds: Iterable[int]) -> bytes:
    """Returns the sketch of single values in milliseconds."""
    return sketches_of([np.fromiter(milliseconds, dtype=np.int64)])[0]


def sketches_of(groups: Sequence[Ints]) -> list[bytes]:
    """Returns one sketch for each group of single values in milliseconds."""
    lengths = np.fromiter((len(group) for group in groups), dtype=np.int64, count=len(groups))
    owners = np.repeat(np.arange(len(groups), dtype=np.int64), lengths)
    values = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
    cells, counts = np.unique(owners * BUCKETS + bucket_of(values), return_counts=True)
    return encode_all(*np.divmod(cells, BUCKETS), counts.astype(np.int64), len(groups))


def percentiles(histogram: Ints, shares: Sequence[float]) -> Floats:
    """Computes percentiles in ms from histograms, one histogram for each row.

    Returns an array of `rows × len(shares)`, where `shares` are from 0 to 1 (0.95: the 95th percentile); NaN
    for a row without counts. The percentile is the value at rank ceil(share × n), as numpy's method
    "inverted_cdf" defines it.
    """
    cumulated = histogram.cumsum(axis=1)
    totals = cumulated[:, -1]
    result = np.full((len(histogram), len(shares)), np.nan)
    for column, share in enumerate(shares):
        ranks = np.maximum(1, np.ceil(share * totals - 1e-9))
        at = (cumulated >= ranks[:, None]).argmax(axis=1)
        result[:, column] = np.where(totals > 0, MIDDLE[at], np.nan)
    return result
