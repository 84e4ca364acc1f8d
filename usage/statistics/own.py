"""One's own usage in all contexts: the total, and the parts as the contexts' own pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import QueryDict

from teams.access import Permission, role_may
from teams.models import Membership
from usage.rollups.buckets import day_of, day_start, hour_of
from usage.rollups.figures import Figures, total
from usage.rollups.query import Dimension, Granularity, UsageQuery
from usage.rollups.reader import Cells, SingleCalls
from usage.rollups.statements import Depth
from usage.statistics.drill_down import Behind, CallsBehind, OwnCallsBehind
from usage.statistics.overview import Overview, Ranked, by_time_and_model, overview_of, ranked_by
from usage.statistics.preparation import prepared


@dataclass(frozen=True)
class OwnQuestion:
    """The query for one's own usage: of the whole, in one time zone, and of each context, in its own."""

    whole: UsageQuery
    memberships: Sequence[Membership]
    parts: Sequence[UsageQuery]  # one for each membership
    ways: Sequence[CallsBehind | None]  # to the calls of each part; None: there can be none


@dataclass(frozen=True)
class ContextUsage:
    """One's own figures in one context, ranked among all contexts; `query` is its query, `way` the links to its
    calls.
    """

    membership: Membership
    query: UsageQuery
    ranked: Ranked
    way: CallsBehind | None

    @property
    def looked_at(self) -> tuple[UsageQuery, bool]:
        """The queries for anomalies, and whether the user sees the whole team; a personal space is wholly their
        own.
        """
        query = replace(self.query, members=()) if self.membership.team.is_personal else self.query
        return query, role_may(self.membership.role, Permission.SEE_TEAM)

    @property
    def figures(self) -> Figures:
        return self.ranked.figures


@dataclass(frozen=True)
class OwnUsage:
    """One's own figures: by context (in the order of the contexts), by time, and by model (all of them)."""

    contexts: list[ContextUsage]
    overview: Overview
    models: list[Ranked]

    @property
    def clocks(self) -> list[str]:
        """The time zones of the contexts, without duplicates."""
        return list(dict.fromkeys(one.query.team.time_zone for one in self.contexts))


def own_usage(asked: OwnQuestion, depth: Depth) -> OwnUsage:
    """Reads one's usage in all contexts, with as many SQL statements as for one context, and adds it up.

    `depth` is what is read for the figures by model. Days, weeks and months are each context's own and are
    added by date, so that the parts match the contexts' pages and quotas; hours are added if they begin in the
    same hour of `whole`.
    """
    whole, queries = asked.whole, asked.parts
    parts = by_time_and_model(queries, SingleCalls((Dimension.MODEL,)), depth)
    by_time = _merged(
        [_on_clock_of(whole, query, found) for found in times]
        for query, (times, _models) in zip(queries, parts, strict=True)
    )
    by_model = _merged(models for _times, models in parts)
    times_of = {query.team.pk: times for query, (times, _models) in zip(queries, parts, strict=True)}
    by_context: list[Cells] = [
        {(team_id,): total(times[period].values()) for team_id, times in times_of.items()}
        for period in range(len(by_time))
    ]
    ranked = {row.key: row for row in ranked_by(by_context)}
    contexts = [
        ContextUsage(one, query, ranked[one.team_id], way)
        for one, query, way in zip(asked.memberships, queries, asked.ways, strict=True)
    ]
    return OwnUsage(contexts, overview_of(whole, by_time), ranked_by(by_model))


def prepared_question(asked: OwnQuestion, now: datetime) -> OwnQuestion:
    """The query with its parts `prepared`, all with the coarsest granularity, and compared only if all can be."""
    parts = prepared(asked.parts, now)
    known = max((one.known for one in parts if one.known), key=lambda known: known.since, default=None)
    if known is None:
        return replace(asked, parts=parts)
    shared: dict[str, Any] = {"known": known}
    if any(one.granularity is not asked.whole.granularity for one in parts):
        shared["granularity"] = Granularity.DAY
    if any(one.previous is None for one in parts):
        shared["previous"] = None
    return replace(asked, whole=replace(asked.whole, **shared), parts=[replace(one, **shared) for one in parts])


def way_behind(asked: OwnQuestion, page: QueryDict) -> Behind | None:
    """The links to the calls behind the figures of the whole, with these filters: for a single context to its
    list, for several to the page of contexts.
    """
    return asked.ways[0] if len(asked.parts) == 1 else OwnCallsBehind(asked.whole, page)


def _merged(parts: Iterable[Sequence[Cells]]) -> list[Cells]:
    """For each range, the figures of all parts together."""
    known = list(parts)
    if len(known) == 1:
        return list(known[0])
    merged: list[Cells] = []
    for part in known:
        merged = merged or [{} for _ in part]
        for found, sums in zip(part, merged, strict=True):
            for key, figures in found.items():
                sums.setdefault(key, Figures()).absorb(figures)
    return merged


def _on_clock_of(whole: UsageQuery, part: UsageQuery, found: Cells) -> Cells:
    """Figures by time in the buckets of another time zone: the same dates, and the hours in which theirs begin."""
    if whole.zone == part.zone:
        return found
    moved: Cells = {}
    for (start,), figures in found.items():
        if whole.granularity is Granularity.HOUR:
            bucket = hour_of(start, whole.zone)
        else:
            bucket = day_start(day_of(start, part.zone), whole.zone)
        moved.setdefault((bucket,), Figures()).absorb(figures)
    return moved
