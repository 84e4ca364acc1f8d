"""Collects the data of the overview page and of the personal page: figures, names, filters and anomalies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from teams.access import Access
from teams.models import Membership, Token
from usage.anomalies.shown import ShownAnomalies, anomalies_in, anomalies_in_teams
from usage.parameters.names import people_with, tokens_with
from usage.quotas.models import Level, QuotaUse
from usage.quotas.refusals import Refused, refusals_in, refused_in_all
from usage.rollups.clock import clock_changes_of
from usage.rollups.figures import Figures
from usage.rollups.models import ClockChange
from usage.rollups.query import Dimension, Granularity, UsageQuery
from usage.rollups.reader import SingleCalls
from usage.rollups.statements import CALLS, WITHOUT_TTFT, Depth
from usage.statistics.busiest import Busiest, busiest_hours
from usage.statistics.choices import Filter, filters_of, own_filters
from usage.statistics.overview import Overview, Ranked, only, overview_and_models, ranking
from usage.statistics.own import OwnQuestion, OwnUsage, own_usage, prepared_question
from usage.statistics.preparation import prepared
from usage.statistics.top import TOP, Top, top_of


@dataclass(frozen=True)
class OverviewPage:
    """All data of a team's overview page except its charts."""

    query: UsageQuery
    overview: Overview
    models: list[Ranked]
    top: Top | None  # the ranking panel; None for a member, who may not see other members
    filters: list[Filter]
    never_called: bool
    anomalies: ShownAnomalies
    busiest: Busiest | None
    clock_changes: list[ClockChange]
    refused: list[Refused]

    @property
    def refusals(self) -> int | None:
        """The number of reservations that were refused because a quota was used up.

        None if the page is filtered by model, because the model of a refused call is not known.
        """
        return refused_in_all(self.query, (one.refused for one in self.refused))


def overview_page(
    query: UsageQuery,
    access: Access,
    now: datetime,
    by: Dimension = Dimension.MEMBER,
    depth: Depth = WITHOUT_TTFT,
) -> OverviewPage:
    """Returns the data of a team's overview page.

    A reader who may not see the whole team sees only their own calls, without the ranking panel. `by` is the
    dimension of that panel. `depth` says which figures are read for the models and for the rows of the panel.
    """
    (query,) = prepared([query], now, [by])
    single = SingleCalls(tuple(dict.fromkeys((Dimension.MODEL, by))))
    shown, models = overview_and_models(query, single, depth)
    ranked = ranking(query, by, single, CALLS, before=None) if access.sees_team else []
    first = [row.key for row in ranked[:TOP]] if by is Dimension.MEMBER else []
    people = people_with(access.team, [*query.members, *first])
    anomalies = anomalies_in(query, sees_team=access.sees_team, now=now)
    tokens = tokens_with(access.team, query.tokens, of_members=query.members)
    return OverviewPage(
        query=query,
        overview=shown,
        models=[row for row in only(models, query.models) if row.figures.calls],
        top=top_of(query, by, ranked, people, anomalies, now, depth) if access.sees_team else None,
        filters=filters_of(
            query,
            access,
            people=people,
            tokens=tokens,
            models=[row.key for row in models],
        ),
        never_called=shown.is_empty and not _was_called(query),
        anomalies=anomalies,
        busiest=busiest_hours(query, shown),
        clock_changes=clock_changes_of([query], now),
        refused=refusals_in([query], [pk for pk, one in tokens.items() if one.user_id in query.members]),
    )


def _was_called(query: UsageQuery) -> bool:
    """Whether the team has ever had calls in this mode.

    If the query is filtered by member, only calls of these members count.
    """
    own = {"level": Level.MEMBER, "subject_id__in": query.members} if query.members else {"level": Level.TEAM}
    return QuotaUse.objects.filter(team_id=query.team.pk, mode=query.mode, **own).exists()


@dataclass(frozen=True)
class OwnPage:
    """All data of the personal page (the user's own usage in all contexts) except its charts."""

    query: UsageQuery
    own: OwnUsage
    models: list[Ranked]
    filters: list[Filter]
    anomalies: ShownAnomalies
    busiest: Busiest | None
    clock_changes: list[ClockChange]
    refused: list[Refused]

    @property
    def overview(self) -> Overview:
        return self.own.overview

    @property
    def refusals(self) -> int | None:
        """The number of reservations that were refused because a quota was used up.

        None if the page is filtered by model, because the model of a refused call is not known.
        """
        return refused_in_all(self.query, (one.refused for one in self.refused))


def own_page(
    asked: OwnQuestion,
    memberships: Sequence[Membership],
    tokens: Sequence[Token],
    now: datetime,
    depth: Depth = WITHOUT_TTFT,
) -> OwnPage:
    """Returns the data of the personal page: the user's own usage in the selected contexts.

    `memberships` and `tokens` are all that the user has; they are the choices of the page's filters. `depth`
    says which figures are read for the models.
    """
    asked = prepared_question(asked, now)
    own = own_usage(asked, depth)
    query, parts = asked.whole, asked.parts
    # Anomalies are looked for only in contexts where the user has calls; elsewhere none can be about the user.
    called = [one for one in own.contexts if one.figures.calls or (one.ranked.before or Figures()).calls]
    return OwnPage(
        query=query,
        own=own,
        models=[row for row in only(own.models, query.models) if row.figures.calls],
        filters=own_filters(
            query, memberships, asked.memberships, tokens=tokens, models=[row.key for row in own.models]
        ),
        anomalies=anomalies_in_teams([one.looked_at for one in called], now=now),
        busiest=_own_busiest(asked, own.overview),
        clock_changes=clock_changes_of(parts, now),
        refused=refusals_in(parts, [token.pk for token in tokens]),
    )


def _own_busiest(asked: OwnQuestion, shown: Overview) -> Busiest | None:
    """Returns the busiest hours of the week of the user's own calls; None if they cannot be determined.

    They are computed from the hours of the chart or, if a single context is selected, from its hourly rollup.
    None if several contexts are selected and the chart is not hourly.
    """
    if asked.whole.granularity is not Granularity.HOUR and len(asked.parts) > 1:
        return None
    return busiest_hours(asked.parts[0] if len(asked.parts) == 1 else asked.whole, shown)
