"""What is asked of the statistics: a frozen question, made from a valid form or API call."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from teams.models import Mode, Team
from usage.rollups.buckets import day_of, day_start, hour_of


class Granularity(StrEnum):
    """How wide a bucket of time is, on the team's clock and calendar; weeks begin on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def label(self) -> str:
        return str({"hour": _("Hour"), "day": _("Day"), "week": _("Week"), "month": _("Month")}[self.value])


class Dimension(StrEnum):
    """What figures can be divided by; the last four where single calls are kept."""

    TIME = "time"
    MEMBER = "member"
    MODEL = "model"
    TOKEN = "token"  # noqa: S105  # a word, no secret
    TAG = "tag"
    CHANNEL = "channel"
    PROVIDER = "provider"
    OUTCOME = "outcome"


# What no rollup knows: figures by these are counted from single calls.
OF_SINGLE_CALLS = frozenset({Dimension.TAG, Dimension.CHANNEL, Dimension.PROVIDER, Dimension.OUTCOME})


@dataclass(frozen=True)
class Range:
    """A range of time `[start, end)`, aware."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Span(Range):
    """The part of a bucket that lies in its period: the bucket begins at `bucket`."""

    bucket: datetime
    is_before: bool = False  # of the period that is compared with


@dataclass(frozen=True)
class CacheVersion:
    """The version of a team's cached sums, and up to when times are cached (`usage.rollups.cache`)."""

    version: int
    until: datetime


@dataclass(frozen=True)
class Known:
    """From which day on single calls are kept; of the time before, only whole hours or days (`unit`) are known."""

    since: date
    unit: Granularity


@dataclass(frozen=True)
class UsageQuery:
    """The calls of one team and mode in a range of time, perhaps of some members, models, tokens only.

    Members and tokens are database ids here; the form and the API translate from public ids. An empty
    tuple means all.
    """

    team: Team
    mode: Mode
    range: Range
    previous: Range | None = None  # the period to compare with
    granularity: Granularity = Granularity.DAY
    members: tuple[int, ...] = field(default=())
    models: tuple[str, ...] = field(default=())
    tokens: tuple[int, ...] = field(default=())
    # Calls that have any of these tags. Known of single calls only, as what follows it.
    tags: tuple[str, ...] = field(default=())
    channels: tuple[str, ...] = field(default=())
    providers: tuple[str, ...] = field(default=())
    outcomes: tuple[int, ...] = field(default=())
    # A time right after the range in which the team has no calls, so that it may be read along
    # (`usage.statistics.preparation`).
    quiet: Range | None = None
    cache_version: CacheVersion | None = None  # None: answered by the database alone
    known: Known | None = None  # set where the question was made coarser for it (`usage.rollups.resolution`)

    @property
    def zone(self) -> ZoneInfo:
        return self.team.zone

    @property
    def filtered(self) -> frozenset[Dimension]:
        """The dimensions that are filtered by."""
        return frozenset(dimension for dimension in _FILTERS if self.values_of(dimension))

    def values_of(self, dimension: Dimension) -> tuple[Any, ...]:
        """What is filtered by in a dimension; () for all."""
        values: tuple[Any, ...] = getattr(self, _FILTERS[dimension])
        return values

    def only(self, dimension: Dimension, values: tuple[Any, ...]) -> "UsageQuery":
        """The same query, of these members, models or tokens only."""
        changed: dict[str, Any] = {_FILTERS[dimension]: values}
        return replace(self, **changed)

    def buckets(self, of: Range | None = None) -> list[datetime]:
        """The starts of all buckets that the range touches, ascending, also the empty ones."""
        asked = of or self.range
        starts = []
        at = bucket_start(asked.start, self.granularity, self.zone)
        while at < asked.end:
            starts.append(at)
            at = next_bucket(at, self.granularity, self.zone)
        return starts


_FILTERS: dict[Dimension, str] = {
    dimension: f"{dimension}s" for dimension in Dimension if dimension is not Dimension.TIME
}


def bucket_start(at: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """The start (UTC) of the bucket that `at` is in."""
    if granularity is Granularity.HOUR:
        return hour_of(at, zone)
    return day_start(first_day(day_of(at, zone), granularity), zone)


def first_day(day: date, granularity: Granularity) -> date:
    """The first day of the week or month that `day` is in; the day itself at the granularity day."""
    if granularity is Granularity.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if granularity is Granularity.MONTH else day


def next_bucket(start: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """The start (UTC) of the bucket after the one that begins at `start`."""
    if granularity is Granularity.HOUR:
        # Where daylight saving makes the hour shorter the next one begins earlier, never later.
        return hour_of(start + timedelta(hours=1), zone)
    steps = {Granularity.DAY: 1, Granularity.WEEK: 7, Granularity.MONTH: 31}
    day = day_of(start, zone) + timedelta(days=steps[granularity])
    return day_start(first_day(day, granularity), zone)


def automatic_granularity(asked: Range) -> Granularity:
    """Hours up to eight days, days up to a quarter, weeks up to two years, then months."""
    days = asked.length / timedelta(days=1)
    if days <= 8:
        return Granularity.HOUR
    if days <= 93:
        return Granularity.DAY
    return Granularity.WEEK if days <= 731 else Granularity.MONTH


# --- The presets --------------------------------------------------------------------------------

PRESETS = {
    "24h": _("24 h"),
    "7d": _("7 d"),
    "30d": _("30 d"),
    "90d": _("90 d"),
    "month": _("This month"),
    "last-month": _("Last month"),
}


def preset_ranges(name: str, now: datetime, zone: ZoneInfo) -> tuple[Range, Range]:
    """A preset's range, up to the end of the current hour, and the period it is compared with.

    Both have seen the same share of their last day, so a comparison in the morning is fair.
    """
    end = next_bucket(hour_of(now, zone), Granularity.HOUR, zone)
    today = day_of(now, zone)
    if name in {"24h", "7d"}:
        days = 1 if name == "24h" else 7
        return _shifted(local_shift(end, -days, zone), end, days, zone)
    if name in {"30d", "90d"}:
        days = int(name[:-1])
        return _shifted(day_start(today - timedelta(days=days - 1), zone), end, days, zone)
    this_month = today.replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    if name == "month":
        start, before = day_start(this_month, zone), day_start(last_month, zone)
        passed = end.astimezone(zone) - start.astimezone(zone)
        return Range(start, end), Range(before, min(_later(before, passed, zone), start))
    first = (last_month - timedelta(days=1)).replace(day=1)
    starts = [day_start(day, zone) for day in (first, last_month, this_month)]
    return Range(starts[1], starts[2]), Range(starts[0], starts[1])


def _shifted(start: datetime, end: datetime, days: int, zone: ZoneInfo) -> tuple[Range, Range]:
    before = Range(local_shift(start, -days, zone), local_shift(end, -days, zone))
    return Range(start, end), before


def local_shift(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time on the clock some days later or earlier (UTC)."""
    return _later(at, timedelta(days=days), zone)


def _later(at: datetime, by: timedelta, zone: ZoneInfo) -> datetime:
    # Python adds to the time that a clock of the zone shows, and subtracts such times, too.
    return (at.astimezone(zone) + by).astimezone(UTC)


def preceding(asked: Range, zone: ZoneInfo) -> Range:
    """The period of the same length right before, which a custom range is compared with.

    Days are those of the clock, whatever DST makes of them; less than a day is counted in hours.
    """
    if asked.length < timedelta(days=1):
        return Range(asked.start - asked.length, asked.start)
    length = asked.end.astimezone(zone) - asked.start.astimezone(zone)
    return Range(_later(asked.start, -length, zone), asked.start)


@lru_cache(maxsize=4_000)  # the charts of a page ask for the same buckets
def on_the_clock(at: datetime, zone: ZoneInfo) -> str:
    """A time as filters read it, on the team's clock; with its offset where the clock shows that time twice."""
    there = at.astimezone(zone)
    is_shown_twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    is_whole = not (there.second or there.microsecond)
    return (there if is_shown_twice else there.replace(tzinfo=None)).isoformat(
        timespec="minutes" if is_whole else "auto"
    )
