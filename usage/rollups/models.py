"""Rollup tables: sums over calls for each hour or day and, for example, model or member.

These tables are records: they have a team id instead of foreign keys, and are never joined. All key columns are
NOT NULL ("" or 0 if there is no value), because NULLs would not be unique in a key.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import Mode, Team


class Outcome(models.IntegerChoices):
    """Whether and how a call failed. A call succeeded if its status is below 400 and it has no error."""

    SUCCEEDED = 0, _("Succeeded")
    CLIENT_ERROR = 1, _("Client error")
    THROTTLED = 2, _("Throttled")
    SERVER_ERROR = 3, _("Server error")

    @property
    def word(self) -> str:
        """Returns the outcome as URLs and filters write it: `succeeded`, `client_error`, …"""
        return self.name.lower()


class Counters(models.Model):
    """The columns that all rollup tables have. Costs are in nano-dollars, times in milliseconds.

    The sketches contain the distributions of latency and of time to first token (`usage.rollups.sketch`).
    """

    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    calls = models.BigIntegerField(default=0)
    succeeded = models.BigIntegerField(default=0)
    client_errors = models.BigIntegerField(default=0)
    throttled = models.BigIntegerField(default=0)
    server_errors = models.BigIntegerField(default=0)
    unpriced = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    cost_nanos = models.BigIntegerField(default=0)
    latency_sum_ms = models.BigIntegerField(default=0)
    latency_count = models.BigIntegerField(default=0)
    ttft_sum_ms = models.BigIntegerField(default=0)
    ttft_count = models.BigIntegerField(default=0)
    latency_sketch = models.BinaryField(default=b"")
    ttft_sketch = models.BinaryField(default=b"")

    # The dimensions of the bucket after team and mode, in the order of the primary key: time first,
    # because every query is about a range of time.
    DIMENSIONS: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True


class HourModel(Counters):
    """Sums by hour and model, for hourly charts, rates and latency."""

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "model")
    # The instant at which an hour begins in the team's time zone; in some zones that is half past in UTC.
    hour = models.DateTimeField()
    model = models.CharField(max_length=128)
    DIMENSIONS = ("hour", "model")


class HourMember(Counters):
    """Sums by hour and member, for rankings over hours and for finding members' unusual hours."""

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "member_id")
    hour = models.DateTimeField()
    member_id = models.BigIntegerField()
    DIMENSIONS = ("hour", "member_id")


class DayModel(Counters):
    """Sums by day and model, for charts, totals and models over weeks and months."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "model")
    day = models.DateField()  # in the team's time zone
    model = models.CharField(max_length=128)
    DIMENSIONS = ("day", "model")


class DayMember(Counters):
    """Sums by day and member, for the ranking and the personal page."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "member_id")
    day = models.DateField()
    member_id = models.BigIntegerField()
    DIMENSIONS = ("day", "member_id")


class DayToken(Counters):
    """Sums by day and token, for the ranking by token and the last 30 days of a token."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "token_id")
    day = models.DateField()
    token_id = models.BigIntegerField()
    DIMENSIONS = ("day", "token_id")


class DayDetail(Counters):
    """Sums by day, member, token and model, for any combination of these filters over days."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "member_id", "token_id", "model")
    day = models.DateField()
    member_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    model = models.CharField(max_length=128)
    DIMENSIONS = ("day", "member_id", "token_id", "model")


ROLLUPS: tuple[type[Counters], ...] = (HourModel, HourMember, DayModel, DayMember, DayToken, DayDetail)


class PastStamp(models.Model):
    """A random version number of a team's past rollups, replaced whenever they change (`usage.rollups.cache`).

    Without a row, the version number is 0.
    """

    pk = models.CompositePrimaryKey("team_id", "mode")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    stamp = models.BigIntegerField()


class ClockChange(models.Model):
    """A time zone change of a team of which calls had been deleted before, so that its older days could not be
    recounted.

    The days from `exact_from` on were recounted from the stored calls in the new time zone. Older days keep the
    boundaries of an earlier one. Without a row, all days follow the current time zone.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="clock_change", primary_key=True)
    # The time zone whose midnights bound the older days; "" if they follow several zones.
    before = models.CharField(max_length=64, blank=True)
    exact_from = models.DateField()
    # The time since which calls were stored when the zone changed; null: the change is older than this column.
    kept_since = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"from {self.before or 'several'}, exact from {self.exact_from}"
