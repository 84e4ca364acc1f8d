"""Computes the latency panel of a list of calls: the distribution of latency, and its percentiles over time and
by model.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from logs.models import Call
from logs.recording.kept_calls import kept_within
from logs.search.paging import find_page
from logs.search.plans import make_plan
from logs.search.query import CallQuery
from usage.rollups.figures import Figures, fill_percentiles
from usage.rollups.query import Dimension, bucket_start
from usage.rollups.reader import cells
from usage.rollups.sketch import FIRST, histograms, sketch_of

# If the rollups do not have the latencies, those of the first calls of the list are shown.
SAMPLE = 2_000
BARS = 30
MOST_MODELS = 12


@dataclass(frozen=True)
class Bar:
    """A bar of the distribution: the number of calls that took from `start` to `end` ms, both included.

    These are exactly the calls that the filter by this range of latency finds.
    """

    start: int
    end: int
    calls: int


@dataclass(frozen=True)
class Seen:
    """The latencies of the calls of a list. `is_sample` is set if only the first calls of the list were read.

    `kept_since` is set if calls of the period were deleted: only calls from then on are stored. If
    `counts_deleted`, the figures still include the deleted ones.
    """

    bars: list[Bar]
    by_time: list[tuple[datetime, Figures]]
    by_model: list[tuple[str, Figures]]
    is_sample: bool
    kept_since: datetime | None
    counts_deleted: bool

    @property
    def known(self) -> int:
        """The number of calls whose latency is known."""
        return sum(bar.calls for bar in self.bars)

    @property
    def highest(self) -> int:
        return max((bar.calls for bar in self.bars), default=0)


def latency_of(query: CallQuery) -> Seen:
    """Returns the latencies of the calls that match a query. The bars leave out calls whose latency is unknown."""
    groups, is_sample = (_from_rollups(query), False) if query.timed_by_rollups else _sampled(query)
    by_time = sorted(groups[0].items())
    by_model = sorted(groups[1].items(), key=lambda item: -item[1].latency_count)[:MOST_MODELS]
    figures = [one for _key, one in [*by_time, *by_model]]
    fill_percentiles(figures)
    sketches = [sketch for one in groups[1].values() for sketch in one.latency_sketches]
    return Seen(
        _bars(sketches),
        by_time,
        by_model,
        is_sample,
        kept_since=kept_within(query.usage),
        counts_deleted=query.timed_by_rollups,
    )


Groups = tuple[dict[datetime, Figures], dict[str, Figures]]


def _from_rollups(query: CallQuery) -> Groups:
    usage = query.usage
    found = (cells(usage, [dimension], [usage.range])[0] for dimension in (Dimension.TIME, Dimension.MODEL))
    by_time, by_model = ({key[0]: figures for key, figures in cell.items()} for cell in found)
    return by_time, by_model


def _sampled(query: CallQuery) -> tuple[Groups, bool]:
    """Returns the figures of the first SAMPLE calls of the list by time and by model, and whether the list has
    more calls.
    """
    usage = query.usage
    found = find_page(query, make_plan(query), size=SAMPLE)
    calls = Call.objects.filter(team_id=usage.team.pk, id__in=found.ids)
    times: defaultdict[datetime, list[int | None]] = defaultdict(list)
    models: defaultdict[str, list[int | None]] = defaultdict(list)
    rows: Iterable[tuple[datetime, str, Any]] = calls.values_list("started_at", "model", "latency_ms")
    for started_at, model, latency in rows:
        times[bucket_start(started_at, usage.granularity, usage.zone)].append(latency)
        models[model].append(latency)
    groups = (
        {key: _figures(values) for key, values in times.items()},
        {key: _figures(values) for key, values in models.items()},
    )
    return groups, found.after is not None


def _figures(latencies: Sequence[int | None]) -> Figures:
    known = [one for one in latencies if one is not None]
    return Figures(
        calls=len(latencies),
        latency_sum_ms=sum(known),
        latency_count=len(known),
        latency_sketches=[sketch_of(known)],
    )


def _bars(sketches: Sequence[bytes]) -> list[Bar]:
    """Returns about BARS bars, from the lowest to the highest latency.

    Their edges are edges of the sketch's buckets, so that the counts are exact.
    """
    counts = histograms(sketches, np.zeros(len(sketches), dtype=np.int64), 1)[0]
    used = np.flatnonzero(counts)
    if not used.size:
        return []
    low, high = int(used[0]), int(used[-1]) + 1
    width = max(1, -(-(high - low) // BARS))
    starts = range(low, high, width)
    return [
        Bar(
            int(FIRST[at]), int(FIRST[min(at + width, high)]) - 1, int(counts[at : min(at + width, high)].sum())
        )
        for at in starts
    ]
