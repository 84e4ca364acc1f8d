"""Calls that were refused for quota: counted by the hour, told on the overview and in the activity."""

from dataclasses import dataclass
from datetime import datetime

from teams.models import Team
from usage.buckets import hour_of
from usage.bulk import add_up
from usage.levels import LevelState
from usage.models import Level, Refusal
from usage.query import Range

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


def refusals_in(team: Team, mode: int, within: Range, member_ids: tuple[int, ...] = ()) -> list[Refused]:
    """What was refused in a range, most often first; `member_ids`: by limits of these members only."""
    rows = Refusal.objects.filter(
        team_id=team.pk, mode=mode, hour__gte=hour_of(within.start, team.zone), hour__lt=within.end
    ).order_by("hour")
    if member_ids:
        rows = rows.filter(level=Level.MEMBER, subject_id__in=member_ids)
    found: dict[tuple[int, int], Refused] = {}
    for row in rows:
        key = (row.level, row.subject_id)
        before = found.get(key)
        since, count = (before.since, before.refused) if before else (row.hour, 0)
        found[key] = Refused(Level(row.level), row.subject_id, count + row.refused, since, row.hour)
    return sorted(found.values(), key=lambda refused: -refused.refused)
