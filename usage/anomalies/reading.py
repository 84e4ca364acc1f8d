"""Reads the rollups of one team and mode into the hourly arrays of the detectors, in three SQL statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Aggregate, BinaryField, Sum, TextField

from teams.models import Mode, Team
from usage.anomalies.detectors.common import MEMORY, Floats, Hours, Ints
from usage.rollups.buckets import day_of, day_start
from usage.rollups.models import DayMember, HourMember, HourModel
from usage.rollups.query import Range, local_shift
from usage.rollups.sketch import MIDDLE, histograms

HISTORY_DAYS = MEMORY // 24  # days of history before the first hour shown
MEMBER_DAYS = (
    31  # days of hourly history of members; before that, daily values tell how long a member has been active
)
# Upper bounds of the latency histogram's buckets, round numbers for the sentences; one more bucket above them.
EDGES_MS: Floats = np.array(
    [step * size for size in (10, 100, 1_000, 10_000, 100_000) for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]
)
_COARSE = np.searchsorted(EDGES_MS, MIDDLE).astype(np.int64)


@dataclass(frozen=True)
class Hourly:
    """The calls of a team in each hour of its own clock, without gaps.

    T is the number of hours, M the number of members. Costs are in nano-dollars.
    """

    zone: ZoneInfo
    hours: Hours  # (T,): start of each hour as a naive local time
    shown: int  # index of the first hour that is shown; the hours before it are history
    calls: Floats  # (T,)
    tokens: Floats
    cost: Floats
    failures: Floats  # (T, 3): client errors, throttled, server errors
    latency: Floats  # (T, len(EDGES_MS) + 1)
    members: tuple[int, ...]
    member_calls: Floats  # (T, M); before the last 31 days all calls of a day are counted in its first hour

    def instant(self, place: int) -> datetime:
        """Returns the start (UTC) of the hour with this index; with index T, the end of the last hour."""
        after = place == len(self.hours)
        local = self.hours[place - after].astype("datetime64[s]").item() + timedelta(hours=int(after))
        there: datetime = local.replace(tzinfo=self.zone)
        return there.astimezone(UTC)

    @property
    def first_call(self) -> int | None:
        """The index of the first hour with calls; None if there are none."""
        return int(np.argmax(self.calls > 0)) if self.calls.any() else None


class Grid:
    """The hours of a range on a time zone's clock; finds the index of the hour that contains an instant."""

    def __init__(self, within: Range, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[datetime, int] = {}
        first, last = (_wall_hour(at, zone) for at in (within.start, within.end - timedelta(microseconds=1)))
        step = np.timedelta64(1, "h")
        self.hours: Hours = np.arange(np.datetime64(first, "s"), np.datetime64(last, "s") + step, step)
        self._first = first

    def places(self, instants: Iterable[datetime]) -> Ints:
        """Returns the index of the hour of each instant; each different instant is computed only once.

        The rows of a rollup have many equal instants.
        """
        known = self._known
        found = [known.get(at) if at in known else self._place(at) for at in instants]
        return np.array(found, dtype=np.int64)

    def _place(self, at: datetime) -> int:
        place = (_wall_hour(at, self._zone) - self._first) // timedelta(hours=1)
        self._known[at] = min(max(place, 0), len(self.hours) - 1)
        return self._known[at]


def _wall_hour(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)


def read_hours(team: Team, mode: Mode, shown: Range) -> Hourly:
    """Reads the hours of the range `shown` (whole hours) and the eight weeks before them."""
    since = local_shift(shown.start, -HISTORY_DAYS, team.zone)
    grid = Grid(Range(since, shown.end), team.zone)
    sums, latency = _team_hours(team, mode, Range(since, shown.end), grid)
    members, member_calls = _member_hours(team, mode, shown, grid)
    return Hourly(
        zone=team.zone,
        hours=grid.hours,
        shown=int(grid.places([shown.start])[0]),
        calls=sums[:, 0],
        tokens=sums[:, 1] + sums[:, 2],
        cost=sums[:, 3],
        failures=sums[:, 4:],
        latency=latency,
        members=members,
        member_calls=member_calls,
    )


_SUMMED = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cost_nanos",
    "client_errors",
    "throttled",
    "server_errors",
)


def _team_hours(team: Team, mode: Mode, within: Range, grid: Grid) -> tuple[Floats, Floats]:
    """Returns the team's hourly sums over all models, (T, counters of _SUMMED), and its latency histogram."""
    rows = list(
        HourModel.objects.filter(team_id=team.pk, mode=mode, hour__gte=within.start, hour__lt=within.end)
        .order_by()
        .values("hour")
        .annotate(**{f"sum_{name}": Sum(name) for name in _SUMMED}, latency=_Joined("latency_sketch"))
        .values_list("hour", *(f"sum_{name}" for name in _SUMMED), "latency")
    )
    places = grid.places(row[0] for row in rows)
    sums = np.zeros((len(grid.hours), len(_SUMMED)))
    if rows:
        np.add.at(sums, places, np.array([row[1:-1] for row in rows], dtype=float))
    return sums, histogram([bytes(row[-1]) for row in rows], places, len(grid.hours))


def histogram(sketches: Sequence[bytes], groups: Ints, size: int) -> Floats:
    """Returns how many calls have a latency between each two limits of EDGES_MS.

    The shape is (size, len(EDGES_MS) + 1). `groups[i]` is the row in which sketch i is counted.
    """
    return histograms(sketches, groups, size, _COARSE).astype(float)


class _Joined(Aggregate):
    """SQL aggregate that concatenates latency sketches, which gives a sketch of all calls of the group."""

    function = "string_agg"
    output_field = BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(%(expressions)s, ''::bytea)", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(group_concat(%(expressions)s, '') AS BLOB)"
        return self.as_sql(compiler, connection, template=template, **extra)


class _Pairs(Aggregate):
    """SQL aggregate that joins the rows of a group into one text `member calls member calls ...`.

    Fetching a hundred thousand single rows would be slow.
    """

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(concat_ws(' ', %(expressions)s), ' ')")

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "group_concat(%(expressions)s, ' ')"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" || ' ' || ")


def _member_hours(team: Team, mode: Mode, shown: Range, grid: Grid) -> tuple[tuple[int, ...], Floats]:
    """Returns the ids of the members who had calls, and their calls by hour, (T, members)."""
    first_day = day_of(local_shift(shown.start, -MEMBER_DAYS, team.zone), team.zone)
    rows = [*_by_day(team, mode, shown, first_day), *_by_hour(team, mode, shown, first_day)]
    pairs = np.fromstring(" ".join(row[1] for row in rows), dtype=np.int64, sep=" ").reshape(-1, 2)
    lengths = [(row[1].count(" ") + 1) // 2 for row in rows]
    places = np.repeat(grid.places(row[0] for row in rows), lengths)
    members, columns = np.unique(pairs[:, 0], return_inverse=True)
    counts = np.bincount(
        places * len(members) + columns, weights=pairs[:, 1], minlength=len(grid.hours) * len(members)
    )
    return tuple(members.tolist()), counts.reshape(len(grid.hours), len(members)).astype(float)


def _by_hour(team: Team, mode: Mode, shown: Range, first: date) -> Iterable[tuple[datetime, str]]:
    within = {"hour__gte": day_start(first, team.zone), "hour__lt": shown.end}
    rows = HourMember.objects.filter(team_id=team.pk, mode=mode, **within).order_by().values("hour")
    return rows.annotate(pairs=_Pairs("member_id", "calls")).values_list("hour", "pairs")


def _by_day(team: Team, mode: Mode, shown: Range, before: date) -> Iterable[tuple[datetime, str]]:
    first = day_of(local_shift(shown.start, -HISTORY_DAYS, team.zone), team.zone)
    rows = DayMember.objects.filter(team_id=team.pk, mode=mode, day__gte=first, day__lt=before).order_by()
    found = rows.values("day").annotate(pairs=_Pairs("member_id", "calls")).values_list("day", "pairs")
    return ((day_start(day, team.zone), pairs) for day, pairs in found)
