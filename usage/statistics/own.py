"""The user's own usage in all contexts (teams and personal space): the total, and the figures of each context.

The figures of a context are the same as on the context's own pages.
"""

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
    """The queries for one's own usage: `whole` for all contexts together, and one in `parts` for each context.

    `whole` uses the time zone of the personal page; each part uses the time zone of its context.
    """

    whole: UsageQuery
    memberships: Sequence[Membership]
    parts: Sequence[UsageQuery]  # one for each membership, in the same order
    ways: Sequence[CallsBehind | None]  # the link builder of each part; None: it can have no calls


@dataclass(frozen=True)
class ContextUsage:
    """The user's own figures in one context, with its rank among the contexts.

    `query` is the query of this context. `way` builds drill-down links to its calls; None if there can be no
    calls.
    """

    membership: Membership
    query: UsageQuery
    ranked: Ranked
    way: CallsBehind | None

    @property
    def looked_at(self) -> tuple[UsageQuery, bool]:
        """The query for the anomalies of this context, and whether the user may see its whole team.

        It is an argument of `usage.anomalies.shown.anomalies_in_teams`. In a personal space all calls are the
        user's own, so the filter by member is dropped.
        """
        query = replace(self.query, members=()) if self.membership.team.is_personal else self.query
        return query, role_may(self.membership.role, Permission.SEE_TEAM)

    @property
    def figures(self) -> Figures:
        return self.ranked.figures


@dataclass(frozen=True)
class OwnUsage:
    """The user's own figures: by context (in the order of the contexts), over time, and by model.

    All models are included, also those that the filter excludes.
    """

    contexts: list[ContextUsage]
    overview: Overview
    models: list[Ranked]

    @property
    def clocks(self) -> list[str]:
        """The time zones of the contexts, without duplicates."""
        return list(dict.fromkeys(one.query.team.time_zone for one in self.contexts))


def own_usage(asked: OwnQuestion, depth: Depth) -> OwnUsage:
    """Reads the user's usage in all contexts, with as many SQL statements as for one context, and adds it up.

    `depth` says which figures are read for the models. Days, weeks and months follow each context's own
    calendar and are added by date, so that each context matches its own pages and quotas. Hours are added if
    they begin in the same hour on the clock of `whole`.
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
    """Returns the queries after `prepared`, made consistent with each other.

    If old calls were deleted in some context, all queries share the coarsest granularity, and the previous
    period is kept only if it is available for all contexts.
    """
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
    """Returns the builder of drill-down links for the figures of all selected contexts together.

    `page` are the page's query parameters. For a single context the links lead to its list of calls (None if it
    can have none), for several to the page that lists the contexts.
    """
    return asked.ways[0] if len(asked.parts) == 1 else OwnCallsBehind(asked.whole, page)


def _merged(parts: Iterable[Sequence[Cells]]) -> list[Cells]:
    """Adds up the figures of several contexts, separately for the period and the previous period."""
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
    """Moves one context's figures over time into the time buckets of `whole`, whose time zone may differ.

    Days, weeks and months keep their date. An hour is counted in the hour of `whole` in which it begins.
    """
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
