"""Calls that were refused for quota: counted by the hour, told on the overview and in the activity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q

from teams.models import Team
from usage.buckets import hour_of
from usage.bulk import add_up
from usage.levels import LevelState
from usage.models import Level, Refusal
from usage.query import UsageQuery

_KEYS = ("team_id", "mode", "hour", "level", "subject_id")


def count_refusal(team: Team, mode: int, state: LevelState, now: datetime) -> None:
    """Counts one refused reservation of a team at the level that refused."""
    row = (team.pk, mode, hour_of(now, team.zone), state.level.value, state.subject_id, 1)
    add_up(Refusal, keys=_KEYS, added=("refused",), replaced=(), rows=[row])


@dataclass(frozen=True)
class Refused:
    """How often one level refused, from the first such hour (its start) to the last."""

    level: Level
    subject_id: int  # the token, the member, or 0
    refused: int
    since: datetime
    last_hour: datetime


def refusals_in(queries: Sequence[UsageQuery], token_ids: Collection[int] = ()) -> list[Refused]:
    """What was refused in the ranges of some teams' questions, most often first: one query.

    Of members that are asked for, by limits of theirs and of `token_ids`, their tokens. A refusal knows no model,
    so there are none of one.
    """
    wanted = [_wanted(query, token_ids) for query in queries if not query.models]
    if not wanted:
        return []
    found: dict[tuple[int, int, int], Refused] = {}
    for row in Refusal.objects.filter(reduce(or_, wanted)).order_by("hour"):
        key = (row.team_id, row.level, row.subject_id)
        before = found.get(key)
        since, count = (before.since, before.refused) if before else (row.hour, 0)
        found[key] = Refused(Level(row.level), row.subject_id, count + row.refused, since, row.hour)
    return sorted(found.values(), key=lambda refused: -refused.refused)


def _wanted(query: UsageQuery, token_ids: Collection[int]) -> Q:
    since = hour_of(query.range.start, query.zone)
    within = Q(team_id=query.team.pk, mode=query.mode, hour__gte=since, hour__lt=query.range.end)
    if query.tokens:
        return within & Q(level=Level.TOKEN, subject_id__in=query.tokens)
    if not query.members:
        return within
    of_members = Q(level=Level.MEMBER, subject_id__in=query.members)
    return within & (of_members | Q(level=Level.TOKEN, subject_id__in=[*token_ids]))
