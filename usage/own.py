"""One's own usage in every context: from the rollups by member, one statement for all teams."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Sum

from teams.models import Membership, Mode, User
from usage.buckets import day_of, day_start
from usage.cells import Joined
from usage.figures import Figures, fill_percentiles, total
from usage.models import DayMember
from usage.query import Granularity, Range, UsageQuery
from usage.rollups import COUNTERS
from usage.statistics import Overview, Point


@dataclass(frozen=True)
class ContextUsage:
    """One's own figures in one context."""

    membership: Membership
    figures: Figures


@dataclass(frozen=True)
class OwnUsage:
    """One's own figures over the last days: by context, by day, together."""

    contexts: list[ContextUsage]
    overview: Overview


def own_usage(
    user: User, memberships: Sequence[Membership], mode: Mode, *, days: int, now: datetime
) -> OwnUsage:
    """The user's calls of the last `days` days, each context's days on its own calendar.

    `memberships` has the personal space first, whose calendar names the days of the whole.
    """
    zone = memberships[0].team.zone
    today = day_of(now, zone)
    first = today - timedelta(days=days - 1)
    found = _by_team_and_day(user, memberships, mode, first)
    contexts = [
        ContextUsage(one, total(value for (team, _day), value in found.items() if team == one.team_id))
        for one in memberships
    ]
    points = [
        Point(
            day_start(day, zone),
            total(value for (_team, when), value in found.items() if when == day),
        )
        for day in (first + timedelta(days=index) for index in range(days))
    ]
    whole = total(point.figures for point in points)
    fill_percentiles([whole, *(one.figures for one in contexts), *(point.figures for point in points)])
    query = UsageQuery(
        team=memberships[0].team,
        mode=mode,
        range=Range(day_start(first, zone), day_start(today + timedelta(days=1), zone)),
        granularity=Granularity.DAY,
        members=(user.pk,),
    )
    return OwnUsage(contexts, Overview(query, whole, points))


def _by_team_and_day(
    user: User, memberships: Sequence[Membership], mode: Mode, first: date
) -> dict[tuple[int, date], Figures]:
    teams = [membership.team_id for membership in memberships]
    sums = {f"sum_{name}": Sum(name) for name in COUNTERS}
    sketches = {"latency": Joined("latency_sketch"), "ttft": Joined("ttft_sketch")}
    rows = (
        DayMember.objects.filter(team_id__in=teams, mode=mode, day__gte=first, member_id=user.pk)
        .values("team_id", "day")
        .annotate(**sums, **sketches)
        .values_list("team_id", "day", *sums, *sketches)
    )
    found: dict[tuple[int, date], Figures] = {}
    for team_id, day, *values in rows:
        figures = found.setdefault((team_id, day), Figures())
        figures.add(values[:-2], bytes(values[-2]), bytes(values[-1]))
    return found
