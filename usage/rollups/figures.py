"""The sums over a set of calls (calls, tokens, cost, latency), and the rates and percentiles derived from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from usage.rollups.sketch import Ints, histograms, percentiles

SHARES = (0.50, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The 50th, 95th and 99th percentile of a duration in milliseconds; None for a set without known durations."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


_UNKNOWN = Percentiles()


@dataclass(slots=True)
class Figures:
    """Sums over a set of calls, and their latency sketches. Costs are in nano-dollars, times in milliseconds.

    All sums are 0 for a set without calls. `latency` and `ttft` (time to first token) are empty until
    `fill_percentiles` computes them from the sketches.
    """

    calls: int = 0
    succeeded: int = 0
    client_errors: int = 0
    throttled: int = 0
    server_errors: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nanos: int = 0
    latency_sum_ms: int = 0
    latency_count: int = 0
    ttft_sum_ms: int = 0
    ttft_count: int = 0
    latency_sketches: list[bytes] = field(default_factory=list, repr=False)
    ttft_sketches: list[bytes] = field(default_factory=list, repr=False)
    latency: Percentiles = _UNKNOWN
    ttft: Percentiles = _UNKNOWN

    @classmethod
    def of_row(cls, counters: Sequence[int], latency_sketch: bytes, ttft_sketch: bytes) -> "Figures":
        """Creates figures from a row of a rollup table.

        `counters` are in the order of `usage.rollups.folding.COUNTERS`.
        """
        figures = cls(*counters)  # type: ignore[arg-type]
        figures.latency_sketches.append(latency_sketch)
        figures.ttft_sketches.append(ttft_sketch)
        return figures

    def absorb(self, other: "Figures") -> None:
        """Adds the sums and sketches of another set of calls to these.

        Written out field by field, because a page calls this some thousand times, and a loop over the names
        takes five times as long. A test checks that no counter is missing.
        """
        self.calls += other.calls
        self.succeeded += other.succeeded
        self.client_errors += other.client_errors
        self.throttled += other.throttled
        self.server_errors += other.server_errors
        self.unpriced += other.unpriced
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cached_tokens += other.cached_tokens
        self.cache_write_tokens += other.cache_write_tokens
        self.reasoning_tokens += other.reasoning_tokens
        self.cost_nanos += other.cost_nanos
        self.latency_sum_ms += other.latency_sum_ms
        self.latency_count += other.latency_count
        self.ttft_sum_ms += other.ttft_sum_ms
        self.ttft_count += other.ttft_count
        self.latency_sketches += other.latency_sketches
        self.ttft_sketches += other.ttft_sketches

    @property
    def failed(self) -> int:
        return self.calls - self.succeeded

    @property
    def success_rate(self) -> float | None:
        """Returns the succeeded calls divided by all calls, 0 to 1; None without calls."""
        return self.succeeded / self.calls if self.calls else None

    @property
    def tokens(self) -> int:
        """Returns the sum of input and output tokens. Cached tokens are part of the input, reasoning tokens of
        the output.
        """
        return self.input_tokens + self.output_tokens

    @property
    def latency_avg(self) -> float | None:
        return self.latency_sum_ms / self.latency_count if self.latency_count else None

    @property
    def ttft_avg(self) -> float | None:
        return self.ttft_sum_ms / self.ttft_count if self.ttft_count else None


def total(parts: Iterable[Figures]) -> Figures:
    """Adds up the figures of several sets of calls. Does not compute percentiles."""
    whole = Figures()
    for part in parts:
        whole.absorb(part)
    return whole


# The most histograms that are in memory together; more sets are processed in chunks of this size.
_AT_ONCE = 2_000


def fill_percentiles(parts: Sequence[Figures], wholes: Sequence[tuple[Figures, slice]] = ()) -> None:
    """Computes the percentiles `latency` and `ttft` of all `parts`, and of totals over several of them.

    Each of `wholes` is a pair: the figures of a total, and the slice of `parts` that it consists of.
    """
    for sketches, name in (("latency_sketches", "latency"), ("ttft_sketches", "ttft")):
        if not any(any(getattr(one, sketches)) for one in parts):
            continue
        sums: list[Any] = [0] * len(wholes)
        for first in range(0, len(parts), _AT_ONCE):
            some = parts[first : first + _AT_ONCE]
            counts = _histograms([getattr(one, sketches) for one in some])
            _set_percentiles(name, some, counts)
            for number, (_whole, part) in enumerate(wholes):
                start, stop, _step = part.indices(len(parts))
                sums[number] += counts[max(start - first, 0) : max(stop - first, 0)].sum(axis=0)
        if wholes:
            _set_percentiles(name, [whole for whole, _part in wholes], np.stack(sums))


def _set_percentiles(name: str, figures: Sequence[Figures], counts: Ints) -> None:
    for one, row in zip(figures, percentiles(counts, SHARES).tolist(), strict=True):
        setattr(one, name, Percentiles(*(None if value != value else value for value in row)))


def _histograms(sketches: Sequence[Sequence[bytes]]) -> Ints:
    groups = np.repeat(
        np.arange(len(sketches), dtype=np.int64),
        np.fromiter((len(some) for some in sketches), dtype=np.int64, count=len(sketches)),
    )
    flat = [sketch for some in sketches for sketch in some]
    return histograms(flat, groups, len(sketches))


@dataclass(frozen=True)
class Point:
    """The figures of one bucket of time (hour, day, week or month), which may have no calls."""

    start: datetime
    figures: Figures
