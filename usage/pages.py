"""What the usage pages are made of: statistics with names to them, and what may be filtered by."""

from dataclasses import dataclass
from datetime import datetime

from teams.access import Access
from usage.busiest import Busiest, busiest_hours
from usage.cells import SingleCalls
from usage.choices import Filter, filters_of
from usage.clock import clock_change_of
from usage.models import ClockChange, Level, QuotaUse
from usage.people import people_of, tokens_of
from usage.query import Dimension, UsageQuery
from usage.ranking import Row, member_rows, with_quotas
from usage.refusals import Refused, refusals_in
from usage.statistics import Overview, Ranked, only, overview_and_models, ranking
from usage.unusual.shown import Unusual, unusual_in

# The overview shows the first few; the ranking page has them all.
TOP = 5


@dataclass(frozen=True)
class OverviewPage:
    """Everything of the overview but its charts."""

    query: UsageQuery
    overview: Overview
    models: list[Ranked]
    members: list[Row]
    active_members: int
    filters: list[Filter]
    never_called: bool
    unusual: Unusual
    busiest: Busiest | None
    clock_change: ClockChange | None
    refused: list[Refused]

    @property
    def refusals(self) -> int:
        """How many reservations were refused for quota."""
        return sum(one.refused for one in self.refused)


def overview_page(query: UsageQuery, access: Access, now: datetime) -> OverviewPage:
    """The overview of a team, or for a member of their own part of it."""
    single = SingleCalls((Dimension.MODEL, Dimension.MEMBER))
    shown, models = overview_and_models(query, single)
    ranked = ranking(query, Dimension.MEMBER, single) if access.sees_team else []
    people = people_of(access.team, also=[row.key for row in ranked]) if access.sees_team else {}
    unusual = unusual_in(query, sees_team=access.sees_team, now=now)
    rows = member_rows(ranked, people, unusual)[:TOP]
    tokens = tokens_of(access.team, None if access.sees_team else access.user)
    return OverviewPage(
        query=query,
        overview=shown,
        models=[row for row in only(models, query.models) if row.figures.calls],
        members=with_quotas(query, rows, Dimension.MEMBER, now),
        active_members=sum(row.figures.calls > 0 for row in ranked),
        filters=filters_of(
            query,
            access,
            people=people.values(),
            tokens=tokens.values(),
            models=[row.key for row in models],
        ),
        never_called=shown.is_empty and not _was_called(query),
        unusual=unusual,
        busiest=busiest_hours(query, shown),
        clock_change=clock_change_of(query, now),
        refused=refusals_in(access.team, query.mode, query.range, query.members),
    )


def _was_called(query: UsageQuery) -> bool:
    """Whether the team (or the member who asks) has any calls at all, whenever."""
    own = {"level": Level.MEMBER, "subject_id__in": query.members} if query.members else {"level": Level.TEAM}
    return QuotaUse.objects.filter(team_id=query.team.pk, mode=query.mode, **own).exists()
