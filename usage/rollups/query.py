"""`UsageQuery`: which calls the statistics are asked about, made from a valid form or API request.

Also the time ranges of the presets (“7 d”, “Last month”) and their previous periods.
"""

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
    """The width of the buckets of time, in the team's time zone. Weeks begin on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def label(self) -> str:
        return str({"hour": _("Hour"), "day": _("Day"), "week": _("Week"), "month": _("Month")}[self.value])


class Dimension(StrEnum):
    """What figures can be grouped by and filtered by.

    Rollups have time, member, model and token. The last four need single calls, so they are only available for
    the time of which calls are stored.
    """

    TIME = "time"
    MEMBER = "member"
    MODEL = "model"
    TOKEN = "token"  # noqa: S105  # a word, no secret
    TAG = "tag"
    CHANNEL = "channel"
    PROVIDER = "provider"
    OUTCOME = "outcome"


# Dimensions that no rollup has: figures by these are counted from single calls.
OF_SINGLE_CALLS = frozenset({Dimension.TAG, Dimension.CHANNEL, Dimension.PROVIDER, Dimension.OUTCOME})


@dataclass(frozen=True)
class Range:
    """A range of time from `start` up to, but not including, `end`; both are timezone-aware."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Span(Range):
    """The part of a bucket that lies in the queried period, as a range. `bucket` is the start of the whole
    bucket.
    """

    bucket: datetime
    is_before: bool = False  # whether it lies in the previous period


@dataclass(frozen=True)
class CacheVersion:
    """The version number of a team's cached sums, and the time up to which sums are cached
    (`usage.rollups.cache`).
    """

    version: int
    until: datetime


@dataclass(frozen=True)
class Known:
    """Says that a query was made coarser, because calls before the day `since` were deleted.

    Of the time before, only figures of whole hours or days (`unit`) exist.
    """

    since: date
    unit: Granularity


@dataclass(frozen=True)
class UsageQuery:
    """Selects the calls of one team and mode in a range of time, with optional filters.

    An empty tuple means no filter. Members and tokens are database ids; the form and the API translate public
    ids to them.
    """

    team: Team
    mode: Mode
    range: Range
    previous: Range | None = None  # the previous period, to compare with
    granularity: Granularity = Granularity.DAY
    members: tuple[int, ...] = field(default=())
    models: tuple[str, ...] = field(default=())
    tokens: tuple[int, ...] = field(default=())
    # Only calls that have any of these tags. This and the next three filters need single calls.
    tags: tuple[str, ...] = field(default=())
    channels: tuple[str, ...] = field(default=())
    providers: tuple[str, ...] = field(default=())
    outcomes: tuple[int, ...] = field(default=())
    # The rest of the last day, if the team has no calls in it: then the sums of the whole day can be read
    # (`usage.statistics.preparation`).
    quiet: Range | None = None
    cache_version: CacheVersion | None = None  # None: answered by the database alone
    known: Known | None = None  # set if the query was made coarser (`usage.rollups.resolution`)

    @property
    def zone(self) -> ZoneInfo:
        return self.team.zone

    @property
    def filtered(self) -> frozenset[Dimension]:
        """Returns the dimensions that this query filters by."""
        return frozenset(dimension for dimension in _FILTERS if self.values_of(dimension))

    def values_of(self, dimension: Dimension) -> tuple[Any, ...]:
        """Returns the values that the query filters a dimension by; () if it does not."""
        values: tuple[Any, ...] = getattr(self, _FILTERS[dimension])
        return values

    def only(self, dimension: Dimension, values: tuple[Any, ...]) -> "UsageQuery":
        """Returns a copy of the query whose filter by a dimension is replaced by these values."""
        changed: dict[str, Any] = {_FILTERS[dimension]: values}
        return replace(self, **changed)

    def buckets(self, of: Range | None = None) -> list[datetime]:
        """Lists the starts (UTC) of all buckets that the range touches, ascending, including those without
        calls.

        `of` is another range to use instead of the query's own.
        """
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
    """Returns the start (UTC) of the bucket that contains `at`."""
    if granularity is Granularity.HOUR:
        return hour_of(at, zone)
    return day_start(first_day(day_of(at, zone), granularity), zone)


def first_day(day: date, granularity: Granularity) -> date:
    """Returns the first day of the week or month that contains `day`; at other granularities `day` itself."""
    if granularity is Granularity.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if granularity is Granularity.MONTH else day


def next_bucket(start: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """Returns the start (UTC) of the bucket after the one that begins at `start`."""
    if granularity is Granularity.HOUR:
        # A clock change can make an hour shorter, so the next one can begin earlier, but never later.
        return hour_of(start + timedelta(hours=1), zone)
    steps = {Granularity.DAY: 1, Granularity.WEEK: 7, Granularity.MONTH: 31}
    day = day_of(start, zone) + timedelta(days=steps[granularity])
    return day_start(first_day(day, granularity), zone)


def automatic_granularity(asked: Range) -> Granularity:
    """Chooses a granularity by the length of the range: hours up to 8 days, days up to 93, weeks up to 731,
    else months.
    """
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
    """Returns the range of a preset, and the previous period that it is compared with.

    `name` is a key of PRESETS. A current range ends at the end of the current hour, and its previous period
    ends at the same time of day. So a comparison in the morning does not set an unfinished day against a whole
    one.
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
    """Returns the instant (UTC) that has the same local time in `zone`, but some days later (earlier if
    negative).
    """
    return _later(at, timedelta(days=days), zone)


def _later(at: datetime, by: timedelta, zone: ZoneInfo) -> datetime:
    # Adding to a timezone-aware datetime changes its local time, whatever the offset does meanwhile.
    return (at.astimezone(zone) + by).astimezone(UTC)


def preceding(asked: Range, zone: ZoneInfo) -> Range:
    """Returns the previous period of a custom range: one of the same length that ends where the range starts.

    The length is measured in local time, so days count as whole even if daylight saving makes them longer or
    shorter. A range of less than 24 hours is measured in elapsed time.
    """
    if asked.length < timedelta(days=1):
        return Range(asked.start - asked.length, asked.start)
    length = asked.end.astimezone(zone) - asked.start.astimezone(zone)
    return Range(_later(asked.start, -length, zone), asked.start)


@lru_cache(maxsize=4_000)  # the charts of a page ask for the same buckets
def on_the_clock(at: datetime, zone: ZoneInfo) -> str:
    """Formats an instant as filters in URLs write it: as local time of `zone`, without an offset.

    The UTC offset is added only if the clock shows that time twice.
    """
    there = at.astimezone(zone)
    is_shown_twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    is_whole = not (there.second or there.microsecond)
    return (there if is_shown_twice else there.replace(tzinfo=None)).isoformat(
        timespec="minutes" if is_whole else "auto"
    )
