"""Quotas: limits, what was used and reserved of them, and what they refused.

`QuotaUse`, `ReservedSum` and `Refusal` are records: keyed by team, without foreign keys, never joined; every
dimension is NOT NULL (0 when there is none).
"""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Membership, Mode, Team, Token, User, public_id


class Level(models.IntegerChoices):
    """The four levels of quota, in the order in which they are checked."""

    TOKEN = 1, _("Token")
    MEMBER = 2, _("Member")
    TEAM = 3, _("Team")
    OWNER = 4, _("Owner's balance")


class QuotaUse(models.Model):
    """The cost charged to one level on one day, from which every quota period is summed.

    Kept by day, so that a period may change at any time and past periods stay known. `team_id` is the team of
    the call, but at level OWNER the personal space of the owner who paid, whose days count then. `subject_id`
    is the token or the member (user) for the first two levels, else 0.
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
    """How often a quota resets, in the team's time zone."""

    NONE = "none", _("never resets")
    DAY = "day", _("a day")
    WEEK = "week", _("a week")
    MONTH = "month", _("a month")


class Quota(models.Model):
    """A limit on cost for a period: of a token, of a member, or (both null) of the whole team.

    A personal space's own quota is its owner's balance, on which their teams draw. Without a row there is no
    limit.
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


DEFAULT_UNPRICED_NANOS = 50_000_000


class UnpricedReserve(models.Model):
    """How much a team reserves for a call whose price nobody knows. Without a row: the default, 5 cents."""

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, related_name="unpriced_reserve", primary_key=True
    )
    amount_nanos = models.BigIntegerField(default=DEFAULT_UNPRICED_NANOS)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_nanos__gte=0), name="unpriced_reserve_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_nanos} nano-dollars"


class Balance(Team):
    """A personal space as site staff see it in the admin: its owner's balance. A proxy, without a table of its
    own.
    """

    class Meta:
        proxy = True
        verbose_name = _("balance")
        verbose_name_plural = _("balances")

    def __str__(self) -> str:
        return self.owner.email


def reservation_id() -> str:
    return public_id("res")


class Reservation(models.Model):
    """Quota set aside for a call that is about to be made, until it is settled, rolled back or expires.

    It counts while `ended_at` is null and `expires_at` is in the future: when it expires, no row changes.
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
        """Whether its amount is still set aside."""
        return self.ended_at is None and self.expires_at > now


class ReservedSum(models.Model):
    """What open reservations set aside of one level, summed by the time slot in which they expire.

    So the reserved amount is a short sum, however many reservations are open, and expiry needs no job: a past
    slot is no longer summed (`usage.quotas.levels`). Levels and subjects are those of `QuotaUse`.
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
