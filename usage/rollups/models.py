"""Rollups: additive counters for each bucket of time and dimension.

Records: keyed by team, without foreign keys, never joined. Every dimension is NOT NULL ("" or 0 when there is
none), because a NULL would slip through the unique key.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import Mode, Team


class Outcome(models.IntegerChoices):
    """The outcome of a call. A success has a status below 400 and no error."""

    SUCCEEDED = 0, _("Succeeded")
    CLIENT_ERROR = 1, _("Client error")
    THROTTLED = 2, _("Throttled")
    SERVER_ERROR = 3, _("Server error")

    @property
    def word(self) -> str:
        """The outcome in addresses and filters: `succeeded`, `client_error`, …"""
        return self.name.lower()


class Counters(models.Model):
    """The counters of every rollup. Costs are nano-dollars, times milliseconds.

    The sketches are bytes of `usage.rollups.sketch`: the distributions of latency and of time to first token.
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
    # because every question is about a range of time.
    DIMENSIONS: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True


class HourModel(Counters):
    """Hour × model: hourly charts, rates and latency."""

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "model")
    # The start of an hour of the team's own clock, as an instant; :30 UTC in half-hour zones.
    hour = models.DateTimeField()
    model = models.CharField(max_length=128)
    DIMENSIONS = ("hour", "model")


class HourMember(Counters):
    """Hour × member: the ranking over hours, unusual hours of members."""

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "member_id")
    hour = models.DateTimeField()
    member_id = models.BigIntegerField()
    DIMENSIONS = ("hour", "member_id")


class DayModel(Counters):
    """Day × model: charts, totals and models over weeks and months."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "model")
    day = models.DateField()  # of the team's own calendar
    model = models.CharField(max_length=128)
    DIMENSIONS = ("day", "model")


class DayMember(Counters):
    """Day × member: the ranking, the personal page."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "member_id")
    day = models.DateField()
    member_id = models.BigIntegerField()
    DIMENSIONS = ("day", "member_id")


class DayToken(Counters):
    """Day × token: the ranking by token, the last 30 days of a token."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "token_id")
    day = models.DateField()
    token_id = models.BigIntegerField()
    DIMENSIONS = ("day", "token_id")


class DayDetail(Counters):
    """Day × member × token × model: any combination of filters over days."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "member_id", "token_id", "model")
    day = models.DateField()
    member_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    model = models.CharField(max_length=128)
    DIMENSIONS = ("day", "member_id", "token_id", "model")


ROLLUPS: tuple[type[Counters], ...] = (HourModel, HourMember, DayModel, DayMember, DayToken, DayDetail)


class PastStamp(models.Model):
    """A random version number of a team's past rollups, replaced whenever they change (`usage.rollups.cache`).
    Without a row they never changed.
    """

    pk = models.CompositePrimaryKey("team_id", "mode")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    stamp = models.BigIntegerField()


class ClockChange(models.Model):
    """A team that changed its time zone after some of its calls were deleted: older days keep their old limits.

    Statistics are counted again from the stored calls, so days from `exact_from` on follow the new time zone,
    and older ones an earlier one. Without a row, all days follow the present time zone.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="clock_change", primary_key=True)
    # The zone that older days were cut by; "": some by one, some by another.
    before = models.CharField(max_length=64, blank=True)
    exact_from = models.DateField()
    # From when on calls were kept at the change; null: changed before this was noted.
    kept_since = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"from {self.before or 'several'}, exact from {self.exact_from}"
