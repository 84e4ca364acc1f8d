"""Counts refused reservations by hour, and reads them for the overview, the activity log and a page of their
own.

A refused call was not made, so it is not in the logs.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formatting import plain
from teams.models import Team, Token, User
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Refusal
from usage.rollups.buckets import hour_of
from usage.rollups.bulk import Statement, addition
from usage.rollups.links import logs_path, refusals_path
from usage.rollups.query import Granularity, UsageQuery, next_bucket

# How far back pages mention refusals if no range was chosen.
NEWS = timedelta(hours=24)
_KEYS = ("team_id", "mode", "hour", "level", "subject_id")


def refusal_counts(refused: Iterable[tuple[Team, int, LevelState]], now: datetime) -> Iterator[Statement]:
    """Yields the SQL statements that count refused reservations of one team in the current hour.

    They are counted by mode and by the quota level that refused. The statements are not executed.
    """
    counts = Counter(
        (team.pk, mode, hour_of(now, team.zone), state.level.value, state.subject_id)
        for team, mode, state in refused
    )
    rows = [(*key, counts[key]) for key in sorted(counts)]
    return addition(Refusal, keys=_KEYS, added=("refused",), replaced=(), rows=rows)


@dataclass(frozen=True)
class Refused:
    """How many reservations one quota level of a team refused.

    `since` is the start of the first hour with refusals, `last_hour` the start of the last.
    """

    team_id: int
    level: Level
    subject_id: int  # the token, the member, or 0
    refused: int
    since: datetime
    last_hour: datetime


def refusals_in(queries: Sequence[UsageQuery], token_ids: Collection[int] = ()) -> list[Refused]:
    """Returns the refusals in the ranges of the queries, one row for each team and level, most frequent first.

    Runs one SQL statement. If a query filters by members, only refusals by their limits and by those of
    `token_ids`, their tokens, are counted. A query that filters by model has no refusals, because these have no
    model.
    """
    teams: dict[Q, list[int]] = {}
    for query in queries:
        if not query.models:
            teams.setdefault(_within(query, token_ids), []).append(query.team.pk)
    if not teams:
        return []
    wanted = (Q(team_id__in=ids) & within for within, ids in teams.items())
    found: dict[tuple[int, int, int], Refused] = {}
    for row in Refusal.objects.filter(reduce(or_, wanted)).order_by("hour"):
        key = (row.team_id, row.level, row.subject_id)
        one = _of_hour(row)
        if before := found.get(key):
            one = replace(one, refused=before.refused + one.refused, since=before.since)
        found[key] = one
    return sorted(found.values(), key=lambda refused: -refused.refused)


def refused_in_all(query: UsageQuery, refused: Iterable[int]) -> int | None:
    """Returns the sum of `refused`; None if the query filters by model, because a refusal has no model."""
    return None if query.models else sum(refused)


def refused_hours(
    query: UsageQuery, token_ids: Collection[int] = (), level: Level | None = None
) -> QuerySet[Refusal]:
    """Returns the rows by hour that `refusals_in` sums up for a query, newest first; with `level` only those of
    it.
    """
    if query.models:
        return Refusal.objects.none()
    rows = Refusal.objects.filter(_within(query, token_ids), team_id=query.team.pk)
    return (rows.filter(level=level) if level else rows).order_by("-hour", "level", "subject_id")


def named_hours(team: Team, rows: Iterable[Refusal]) -> list["NamedRefused"]:
    """Adds to each row of a team the name of the member or token whose limit refused."""
    return named(team, [_of_hour(row) for row in rows])


def _of_hour(row: Refusal) -> Refused:
    return Refused(row.team_id, Level(row.level), row.subject_id, row.refused, row.hour, row.hour)


def _within(query: UsageQuery, token_ids: Collection[int]) -> Q:
    """Returns the filter for refusals that belong to the query. The teams are filtered elsewhere."""
    since = hour_of(query.range.start, query.zone)
    within = Q(mode=query.mode, hour__gte=since, hour__lt=query.range.end)
    if query.tokens:
        # If members are given too, only their own tokens: a user must not learn about the token of another member.
        tokens = set(query.tokens) & {*token_ids} if query.members else query.tokens
        return within & Q(level=Level.TOKEN, subject_id__in=tokens)
    if not query.members:
        return within
    of_members = Q(level=Level.MEMBER, subject_id__in=query.members)
    return within & (of_members | Q(level=Level.TOKEN, subject_id__in=[*token_ids]))


@dataclass(frozen=True)
class NamedRefused:
    """Refusals, and the name and public id of the member or token whose limit refused; "" for other levels."""

    refused: Refused
    name: str
    public_id: str

    @property
    def limit(self) -> str:
        """Returns the limit that refused, in words: “member limit of Dana”."""
        return {
            Level.TOKEN: _("limit of the token %(name)s"),
            Level.MEMBER: _("member limit of %(name)s"),
            Level.TEAM: _("limit of the team"),
            Level.OWNER: _("the owner’s balance"),
        }[self.refused.level] % {"name": self.name}

    def sentence(self, team: Team, now: datetime) -> str:
        """Returns “42 calls refused since 14:00, member limit of Dana”, in the team's time zone."""
        since = self.refused.since.astimezone(team.zone)
        is_today = since.date() == now.astimezone(team.zone).date()
        words = {
            "n": plain(self.refused.refused),
            "since": format_date(since, "H:i" if is_today else "j M H:i"),
            "limit": self.limit,
        }
        return (
            ngettext(
                "%(n)s call refused since %(since)s, %(limit)s",
                "%(n)s calls refused since %(since)s, %(limit)s",
                self.refused.refused,
            )
            % words
        )

    def hours_path(self, team: Team, mode: int) -> str:
        """Returns the link to the list of hours with these refusals; "" if the member or token was deleted."""
        level = self.refused.level
        if level in {Level.TOKEN, Level.MEMBER} and not self.public_id:
            return ""
        filters = {"level": level.name.lower(), **self._subject}
        until = next_bucket(self.refused.last_hour, Granularity.HOUR, team.zone)
        return refusals_path(team, self.refused.since, until, filters, mode)

    def calls_path(self, team: Team, mode: int, now: datetime) -> str:
        """Returns the link to the calls that this member or token has made since the first refusal."""
        return logs_path(team, self.refused.since, now + timedelta(seconds=1), self._subject, mode)

    @property
    def _subject(self) -> dict[str, str]:
        return {self.refused.level.name.lower(): self.public_id} if self.public_id else {}


def named(team: Team, refused: Sequence[Refused]) -> list[NamedRefused]:
    """Adds names to refusals. Runs one SQL statement for members and one for tokens, if there are any."""
    members = {one.subject_id for one in refused if one.level is Level.MEMBER}
    tokens = {one.subject_id for one in refused if one.level is Level.TOKEN}
    users = User.objects.in_bulk(members) if members else {}
    kept = Token.objects.filter(team=team).in_bulk(tokens) if tokens else {}
    names: dict[tuple[Level, int], tuple[str, str]] = {
        **{(Level.MEMBER, pk): (user.label, user.public_id) for pk, user in users.items()},
        **{(Level.TOKEN, pk): (token.name, token.public_id) for pk, token in kept.items()},
    }
    return [NamedRefused(one, *names.get((one.level, one.subject_id), ("", ""))) for one in refused]
