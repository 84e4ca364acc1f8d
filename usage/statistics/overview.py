"""Computes the figures of the usage pages: takes a query and returns dataclasses.

Figures are aggregated only here. Nothing is written to the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from usage.rollups.figures import Figures, Point, fill_percentiles, total
from usage.rollups.query import Dimension, Range, Span, UsageQuery, next_bucket
from usage.rollups.reader import Cells, SingleCalls, cells, cells_of_teams
from usage.rollups.statements import CALLS, COUNTED, FULL, KEYS, WITHOUT_TTFT, Depth
from usage.statistics.single_calls import check_cost, check_rows


@dataclass(frozen=True)
class Changes:
    """Changes since the previous period; None if a change is unknown.

    They are ratios (0.1 means 10 % more), except `success`, which is the difference of the two success rates.
    """

    calls: float | None
    success: float | None
    p95: float | None
    tokens: float | None
    cost: float | None


def _span(point: Point, query: UsageQuery, of: Range, *, is_before: bool = False) -> Span:
    end = next_bucket(point.start, query.granularity, query.zone)
    return Span(max(point.start, of.start), min(end, of.end), point.start, is_before)


def _growth(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else now / before - 1


@dataclass(frozen=True)
class Overview:
    """The totals and the points over time of a period and, if it is compared, of the previous period."""

    query: UsageQuery
    total: Figures
    points: list[Point]
    before: Figures | None = None
    points_before: list[Point] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.total.calls

    @property
    def spans(self) -> list[tuple[Point, Span]]:
        """The points of the period, each with the part of its time bucket that lies in the period."""
        return [(point, _span(point, self.query, self.query.range)) for point in self.points]

    @property
    def spans_before(self) -> list[tuple[Point, Span]]:
        """The points of the previous period, each with the part of its time bucket that lies in that period."""
        before = self.query.previous or self.query.range
        return [(point, _span(point, self.query, before, is_before=True)) for point in self.points_before]

    @property
    def lines(self) -> list[tuple[Point, Span, Point | None, Span | None]]:
        """The points with their spans, each followed by the matching point and span of the previous period.

        Points match by their position: the first with the first, and so on. (None, None) if the previous period
        has fewer.
        """
        before: list[tuple[Point | None, Span | None]] = [*self.spans_before]
        before += [(None, None)] * (len(self.points) - len(before))
        return [(*now, *then) for now, then in zip(self.spans, before, strict=False)]

    @property
    def figures_before(self) -> Figures:
        """The totals of the previous period.

        All zeros if there is nothing to compare with, because templates always access them.
        """
        return self.before or Figures()

    @property
    def changes(self) -> Changes | None:
        """The changes of the totals since the previous period; None if there is nothing to compare with."""
        now, before = self.total, self.before
        if before is None:
            return None
        rates = (now.success_rate, before.success_rate)
        return Changes(
            calls=_growth(now.calls, before.calls),
            success=None if None in rates else (rates[0] or 0) - (rates[1] or 0),
            p95=_growth(now.latency.p95, before.latency.p95),
            tokens=_growth(now.tokens, before.tokens),
            cost=_growth(now.cost_nanos, before.cost_nanos),
        )

    @property
    def busiest(self) -> Point | None:
        """The point with the most calls; None if there are no calls."""
        best = max(self.points, key=lambda point: point.figures.calls, default=None)
        return best if best and best.figures.calls else None


@dataclass(frozen=True)
class Ranked:
    """A member, model, token or context with its rank, and its figures in the period and the previous one."""

    rank: int
    key: Any  # user id, token id, team id (of a context), or name of a model
    figures: Figures
    before: Figures | None
    share: float  # of all calls of the ranking, 0 to 1

    @property
    def change(self) -> float | None:
        """The growth of calls since the previous period as a ratio (0.1 means 10 % more).

        None if there were no calls in the previous period, or if there is none to compare with.
        """
        if self.before is None or not self.before.calls:
            return None
        return self.figures.calls / self.before.calls - 1


def overview(query: UsageQuery, single: SingleCalls | None = None) -> Overview:
    """Reads totals and points for the period and the previous one, in at most three SQL statements."""
    return overview_of(query, cells(query, [Dimension.TIME], _ranges(query), single))


def overview_and_models(
    query: UsageQuery, single: SingleCalls | None = None, depth: Depth = FULL
) -> tuple[Overview, list[Ranked]]:
    """Reads the overview, and the ranking of all models.

    Models that the filter excludes are included in the ranking, so that the user can select them. `depth` says
    which figures are read for the models.
    """
    ((by_time, by_model),) = by_time_and_model([query], single, depth)
    return overview_of(query, by_time), ranked_by(by_model)


def by_time_and_model(
    queries: Sequence[UsageQuery], single: SingleCalls | None = None, depth: Depth = FULL
) -> list[tuple[list[Cells], list[Cells]]]:
    """Reads, for each query, the figures over time, and the figures by model without the filter by model.

    The queries must fit together as `cells_of_teams` requires. `depth` says which figures are read for the
    models; in the previous period only their calls are read. These are two SQL statements, because adding up
    rows by time and model in Python takes longer than letting the database read twice.
    """
    asked = [(query, _ranges(query)) for query in queries]
    everything = [(replace(query, models=()), ranges) for query, ranges in asked]
    by_time = cells_of_teams(asked, [Dimension.TIME], single)
    by_model = cells_of_teams(everything, [Dimension.MODEL], single, (depth, CALLS))
    return list(zip(by_time, by_model, strict=True))


def ranking(
    query: UsageQuery,
    by: Dimension,
    single: SingleCalls | None = None,
    depth: Depth = COUNTED,
    before: Depth | None = CALLS,
) -> list[Ranked]:
    """Returns the members, models or tokens with calls in the period or the previous one, most calls first.

    `depth` says which figures are read in the period, and `before` which in the previous one: KEYS finds out
    only who had calls, and None reads nothing of it. `completed` reads the remaining figures for the rows that
    are shown.
    """
    ranges = _ranges(query) if before is not None else [query.range]
    rows = _ranked(cells(query, [by], ranges, single, (depth, before or KEYS)))
    if depth.sketches:
        fill_percentiles([row.figures for row in rows])
    return rows


def completed(
    query: UsageQuery,
    by: Dimension,
    rows: Sequence[Ranked],
    single: SingleCalls | None = None,
    depth: Depth = WITHOUT_TTFT,
) -> list[Ranked]:
    """Returns some rows of a ranking with the figures that `depth` names.

    In the previous period only their calls are read. These figures are read only for the rows that are shown,
    because reading them for all would take long.
    """
    if not rows:
        return []
    narrowed: UsageQuery = replace(query, **{f"{by}s": tuple(row.key for row in rows)})  # type: ignore[arg-type]  # all are tuples
    now, *then = cells(narrowed, [by], _ranges(query), single, (depth, CALLS))
    fill_percentiles(list(now.values()))
    return [
        replace(
            row,
            figures=now.get((row.key,)) or Figures(),
            before=then[0].get((row.key,)) or Figures() if then else row.before,
        )
        for row in rows
    ]


def overview_of(query: UsageQuery, found: Sequence[Cells]) -> Overview:
    """Builds the overview from figures over time.

    `found` has the figures of the period and, if there is one to compare with, of the previous period.
    """
    ranges = _ranges(query)
    points = _points(query, query.range, found[0])
    before = _points(query, ranges[1], found[1]) if len(ranges) > 1 else []
    totals = [total(cells_of.values()) for cells_of in found]
    parts = [slice(len(points)), slice(len(points), None)]
    wholes = list(zip(totals, parts, strict=False))
    fill_percentiles([point.figures for point in [*points, *before]], wholes)
    return Overview(query, totals[0], points, totals[1] if len(totals) > 1 else None, before)


def ranked_by(found: Sequence[Cells]) -> list[Ranked]:
    """Builds a ranking from figures by one dimension.

    `found` has the figures of the period and, if there is one to compare with, of the previous period.
    """
    rows = _ranked(found)
    fill_percentiles([row.figures for row in rows])
    return rows


def _ranked(found: Sequence[Cells]) -> list[Ranked]:
    now, *rest = found
    before = rest[0] if rest else None
    keys = sorted({*now, *(before or {})}, key=lambda key: (-_calls(now, key), key))
    all_calls = sum(figures.calls for figures in now.values())
    return [
        Ranked(
            rank=position,
            key=key[0],
            figures=now.get(key) or Figures(),
            before=None if before is None else before.get(key) or Figures(),
            share=_calls(now, key) / all_calls if all_calls else 0.0,
        )
        for position, key in enumerate(keys, start=1)
    ]


def only(ranked: Sequence[Ranked], keys: Sequence[Any]) -> list[Ranked]:
    """Returns the rows with these keys, with ranks and shares among themselves; all rows if `keys` is empty."""
    if not keys:
        return list(ranked)
    kept = [row for row in ranked if row.key in set(keys)]
    calls = sum(row.figures.calls for row in kept)
    return [
        replace(row, rank=position, share=row.figures.calls / calls if calls else 0.0)
        for position, row in enumerate(kept, start=1)
    ]


def _calls(found: Cells, key: tuple[Any, ...]) -> int:
    return found[key].calls if key in found else 0


def _ranges(query: UsageQuery) -> list[Range]:
    return [query.range, *([query.previous] if query.previous else [])]


def _points(query: UsageQuery, of: Range, found: Cells) -> list[Point]:
    # Contexts in other time zones can have one more day at the ends (see `usage.statistics.own`).
    starts = sorted({*query.buckets(of), *(start for (start,) in found)})
    return [Point(start, found.get((start,)) or Figures()) for start in starts]


# --- Tables: every division at once, for the API and exports --------------------------------------


@dataclass(frozen=True)
class Table:
    """Figures for each combination of values of the dimensions `by`; the total is separate and never a row."""

    by: tuple[Dimension, ...]
    rows: list[tuple[tuple[Any, ...], Figures]]
    total: Figures


def table(query: UsageQuery, by: Sequence[Dimension]) -> Table:
    """Returns the figures of each combination of values that has calls, in ascending order, and their total.

    A call with several tags is counted in the row of each tag, and once in the total. Raises TooMuchError.
    """
    check_cost(query, by)
    found = cells(query, by, [query.range])[0]
    check_rows(by, len(found))
    if Dimension.TAG in by:
        whole = cells(query, [], [query.range])[0].get((), Figures())
        fill_percentiles([*found.values(), whole])
    else:
        whole = total(found.values())
        fill_percentiles(list(found.values()), [(whole, slice(None))])
    return Table(tuple(by), sorted(found.items(), key=lambda item: item[0]), whole)
