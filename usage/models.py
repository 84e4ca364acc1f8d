"""How much: rollups (additive counters per bucket), quota limits, use and reservations, the site's own prices.

The rollups, `QuotaUse`, `ReservedSum` and `Refusal` are records: keyed by team, no foreign keys, never
joined; every dimension is NOT NULL ("" or 0 when there is none), because a NULL would slip through the
unique key.
"""

from datetime import datetime
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Membership, Mode, Team, Token, User, public_id
from usage.alert_models import DEFAULT_THRESHOLDS as DEFAULT_THRESHOLDS
from usage.alert_models import AlertPolicy as AlertPolicy
from usage.alert_models import Event as Event
from usage.alert_models import Message as Message
from usage.alert_models import MessageState as MessageState
from usage.alert_models import ToldRefusal as ToldRefusal
from usage.alert_models import ToldThreshold as ToldThreshold
from usage.alert_models import Webhook as Webhook
from usage.episode_models import EpisodeRecord as EpisodeRecord
from usage.episode_models import ExpectedEpisode as ExpectedEpisode
from usage.episode_models import ToldEpisode as ToldEpisode
from usage.episode_models import UsageMail as UsageMail
from usage.episode_models import expected_id as expected_id  # migrations name it here


class Outcome(models.IntegerChoices):
    """What became of a call (DESIGN: "Words")."""

    SUCCEEDED = 0, _("Succeeded")
    CLIENT_ERROR = 1, _("Client error")
    THROTTLED = 2, _("Throttled")
    SERVER_ERROR = 3, _("Server error")

    @property
    def word(self) -> str:
        """As addresses and filters write it: `succeeded`, `client_error`, …"""
        return self.name.lower()


class PricedBy(models.IntegerChoices):
    """Where a call's cost comes from."""

    NOTHING = 0, _("unpriced")
    REPORT = 1, _("reported with the call")
    SITE = 2, _("the site's price")
    LIST = 3, _("the public price list")
    FAILURE = 4, _("failed, not charged")


class Counters(models.Model):
    """What every rollup counts for its bucket. Costs are nano-dollars, times milliseconds.

    The sketches are `usage.sketch` bytes: the distribution of latency and of time to first token.
    """

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
    """Hour × model: charts by the hour, rates and latency by the hour."""

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "model")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    # The start of an hour of the team's own clock, as an instant; :30 UTC in half-hour zones.
    hour = models.DateTimeField()
    model = models.CharField(max_length=128)
    DIMENSIONS = ("hour", "model")


class HourMember(Counters):
    """Hour × member: ranking over the last hours, members' unusual hours."""

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "member_id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    hour = models.DateTimeField()
    member_id = models.BigIntegerField()
    DIMENSIONS = ("hour", "member_id")


class DayModel(Counters):
    """Day × model: charts, totals and models over weeks and months."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "model")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    day = models.DateField()  # of the team's own calendar
    model = models.CharField(max_length=128)
    DIMENSIONS = ("day", "model")


class DayMember(Counters):
    """Day × member: the ranking, the personal page."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "member_id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    day = models.DateField()
    member_id = models.BigIntegerField()
    DIMENSIONS = ("day", "member_id")


class DayToken(Counters):
    """Day × token: ranking by token, a token's last 30 days."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "token_id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    day = models.DateField()
    token_id = models.BigIntegerField()
    DIMENSIONS = ("day", "token_id")


class DayDetail(Counters):
    """Day × member × token × model: any combination of filters over days."""

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "member_id", "token_id", "model")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    day = models.DateField()
    member_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    model = models.CharField(max_length=128)
    DIMENSIONS = ("day", "member_id", "token_id", "model")


ROLLUPS: tuple[type[Counters], ...] = (HourModel, HourMember, DayModel, DayMember, DayToken, DayDetail)


class PastStamp(models.Model):
    """A random number for what a team's rollups say of times past: another one whenever that changes
    (`usage.settled`). No row: it never did."""

    pk = models.CompositePrimaryKey("team_id", "mode")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    stamp = models.BigIntegerField()


class Level(models.IntegerChoices):
    """The four levels at which a quota can stand, in the order in which they are asked."""

    TOKEN = 1, _("Token")
    MEMBER = 2, _("Member")
    TEAM = 3, _("Team")
    OWNER = 4, _("Owner's balance")


class QuotaUse(models.Model):
    """Cost charged to one level on one day: what every quota period is summed from.

    Kept by the day, so that a period may change at once and past periods stay known. `team_id` is the
    team of the call, but at level OWNER the personal space of the owner who paid, whose days count then.
    `subject_id` is the token or the member (user) of the first two levels, else 0.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "level", "subject_id", "day")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    level = models.SmallIntegerField(choices=Level.choices)
    subject_id = models.BigIntegerField()
    day = models.DateField()
    calls = models.BigIntegerField(default=0)
    used_nanos = models.BigIntegerField(default=0)


class Period(models.TextChoices):
    """How often a quota starts again, in the team's time zone."""

    NONE = "none", _("never resets")
    DAY = "day", _("a day")
    WEEK = "week", _("a week")
    MONTH = "month", _("a month")


class Quota(models.Model):
    """A limit on cost for a period: of a token, of a member, or (both null) of the whole team.

    A personal space's own quota is its owner's balance, on which their teams draw. No row: no limit.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="quotas")
    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, related_name="quota", null=True, blank=True
    )
    token = models.OneToOneField(Token, on_delete=models.CASCADE, related_name="quota", null=True, blank=True)
    limit_nanos = models.BigIntegerField(_("limit"))
    period = models.CharField(_("period"), max_length=5, choices=Period.choices, default=Period.MONTH)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(membership=None, token=None), name="quota_one_per_team"
            ),
            models.CheckConstraint(
                condition=models.Q(membership=None) | models.Q(token=None), name="quota_one_level"
            ),
            models.CheckConstraint(condition=models.Q(limit_nanos__gte=0), name="quota_not_negative"),
            models.CheckConstraint(condition=models.Q(period__in=Period.values), name="quota_period_known"),
        ]

    def __str__(self) -> str:
        return f"{self.limit_nanos} nano-dollars, {self.period}"

    @property
    def level(self) -> Level:
        if self.token_id:
            return Level.TOKEN
        return Level.MEMBER if self.membership_id else Level.TEAM


class Balance(Team):
    """A personal space as site staff see it in the admin: its owner's balance. A table of its own it is not."""

    class Meta:
        proxy = True
        verbose_name = _("balance")
        verbose_name_plural = _("balances")

    def __str__(self) -> str:
        return self.owner.email


def reservation_id() -> str:
    return public_id("res")


class Reservation(models.Model):
    """Quota put aside for a call that is about to be made, until it is settled, rolled back or lapses.

    It counts while `ended_at` is null and `expires_at` lies ahead: lapsing is time going by, no row changes.
    `payer` is the personal space of the owner whose balance it counts against. Amounts in nano-dollars.
    """

    id = models.CharField(primary_key=True, max_length=24, default=reservation_id, editable=False)
    # The indexes below are all that is asked by; those of the foreign keys would only cost writes.
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="reservations", db_index=False)
    payer = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    mode = models.SmallIntegerField(choices=Mode.choices)
    member = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="+", db_index=False, null=True)
    request_id = models.CharField(max_length=128, blank=True)
    model = models.CharField(max_length=128, blank=True)
    amount_nanos = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When it was settled or rolled back; the cost it was settled with, null when it was not.
    ended_at = models.DateTimeField(null=True)
    settled_nanos = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            # The same request asks again and gets the same reservation.
            models.UniqueConstraint(
                fields=["team", "mode", "request_id"],
                condition=~models.Q(request_id=""),
                name="reservation_requested_once",
            ),
            models.CheckConstraint(condition=models.Q(amount_nanos__gte=0), name="reservation_not_negative"),
        ]
        indexes = [
            # Those that lapse within the next seconds, which `ReservedSum` cannot tell apart.
            models.Index(fields=["expires_at"], condition=models.Q(ended_at=None), name="reservation_open"),
        ]

    def __str__(self) -> str:
        return f"{self.id}: {self.amount_nanos} nano-dollars"

    def state(self, now: datetime) -> str:
        """`settled`, `rolled_back`, `lapsed` or `open`."""
        if self.settled_nanos is not None:
            return "settled"
        if self.ended_at:
            return "rolled_back"
        return "open" if self.counts(now) else "lapsed"

    def counts(self, now: datetime) -> bool:
        """Whether its amount is still put aside."""
        return self.ended_at is None and self.expires_at > now


class ReservedSum(models.Model):
    """What open reservations put aside of one level, summed by the slot of time in which they lapse.

    So what is reserved is a short sum however many reservations are open, and lapsing needs no job: a slot
    that has passed is no longer summed (`usage.amounts`). Levels and subjects are those of `QuotaUse`.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "level", "subject_id", "slot")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    level = models.SmallIntegerField(choices=Level.choices)
    subject_id = models.BigIntegerField()
    slot = models.BigIntegerField()
    reserved_nanos = models.BigIntegerField(default=0)


class Refusal(models.Model):
    """How many reservations one level of a team's quotas refused in one hour.

    `team_id` is the team of the call at every level; `subject_id` is that of `QuotaUse`.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "level", "subject_id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    hour = models.DateTimeField()
    level = models.SmallIntegerField(choices=Level.choices)
    subject_id = models.BigIntegerField()
    refused = models.BigIntegerField(default=0)


class ClockChange(models.Model):
    """A team that changed its time zone after some of its calls were deleted: older days stay as they were cut.

    Statistics are cut again from the calls that are kept, so days from `exact_from` on are those of the new
    clock, and what is older is of an earlier one. No row: all days are of the present one.
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


_RATE: dict[str, Any] = {"max_digits": 12, "decimal_places": 6, "validators": [MinValueValidator(0)]}


class Price(models.Model):
    """The site's own price of a model from a moment on: US dollars per million tokens.

    It comes before the public price list. Cached and cache-write tokens cost what input costs unless said.
    """

    model = models.CharField(_("model"), max_length=128)
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    input_usd = models.DecimalField(_("input, $ per million"), **_RATE)
    output_usd = models.DecimalField(_("output, $ per million"), **_RATE)
    cached_usd = models.DecimalField(_("cached input, $ per million"), null=True, blank=True, **_RATE)
    cache_write_usd = models.DecimalField(_("cache writes, $ per million"), null=True, blank=True, **_RATE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="price_one_from_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from:%Y-%m-%d}"
