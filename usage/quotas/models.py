"""Quotas: limits, their use and reservations, and the reservations that they refused.

`QuotaUse`, `ReservedSum` and `Refusal` are records: they have a team id instead of foreign keys, and are never
joined. All key columns are NOT NULL (0 if there is no value).
"""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Membership, Mode, Team, Token, User, public_id


class Level(models.IntegerChoices):
    """The four quota levels, in the order in which they are checked."""

    TOKEN = 1, _("Token")
    MEMBER = 2, _("Member")
    TEAM = 3, _("Team")
    OWNER = 4, _("Owner's balance")


class QuotaUse(models.Model):
    """The cost charged to one quota level on one day. The use in a period is the sum over its days.

    By day, so that the period of a quota can change at any time, and past periods can be shown. `team_id` is
    the team of the call. At level OWNER it is the personal space of the owner who paid, and `day` is in the
    time zone of that space. `subject_id` is the token at level TOKEN, the user at level MEMBER, and 0
    otherwise.
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
    """A limit on cost in a period, for a token, a member, or the whole team (both null).

    The limit of a personal space is its owner's balance, from which all teams of the owner are paid. Without a
    row there is no limit.
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
    """How much a team reserves for a call whose price is not known. Without a row it is the default, 5 cents."""

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
    """A personal space as the owner's balance in the Django admin. A proxy model, without a table of its own."""

    class Meta:
        proxy = True
        verbose_name = _("balance")
        verbose_name_plural = _("balances")

    def __str__(self) -> str:
        return self.owner.email


def reservation_id() -> str:
    return public_id("res")


class Reservation(models.Model):
    """Quota that is set aside for a call before it is made, until it is settled, rolled back or expires.

    It counts against the quota while `ended_at` is null and `expires_at` is in the future. When it expires, no
    row changes. `payer` is the personal space of the owner whose balance it counts against. Amounts in nano-
    dollars.
    """

    id = models.CharField(primary_key=True, max_length=24, default=reservation_id, editable=False)
    # No query needs more indexes than those below; indexes of the foreign keys would only slow down writes.
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
    # When it was settled or rolled back, and the cost that it was settled with (null if it was not settled).
    ended_at = models.DateTimeField(null=True)
    settled_nanos = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            # A request that is repeated gets the same reservation.
            models.UniqueConstraint(
                fields=["team", "mode", "request_id"],
                condition=~models.Q(request_id=""),
                name="reservation_requested_once",
            ),
            models.CheckConstraint(condition=models.Q(amount_nanos__gte=0), name="reservation_not_negative"),
        ]
        indexes = [
            # For reservations that expire in the current slot, of which `ReservedSum` only has the sum.
            models.Index(fields=["expires_at"], condition=models.Q(ended_at=None), name="reservation_open"),
        ]

    def __str__(self) -> str:
        return f"{self.id}: {self.amount_nanos} nano-dollars"

    def state(self, now: datetime) -> str:
        """Returns the state as the API names it: `settled`, `rolled_back`, `lapsed` (expired) or `open`."""
        if self.settled_nanos is not None:
            return "settled"
        if self.ended_at:
            return "rolled_back"
        return "open" if self.counts(now) else "lapsed"

    def counts(self, now: datetime) -> bool:
        """Returns whether the reservation is open, so that its amount is still set aside."""
        return self.ended_at is None and self.expires_at > now


class ReservedSum(models.Model):
    """The amount that open reservations set aside from one quota level, summed by when they expire (`slot`).

    So the reserved amount of a level is a sum over few rows, however many reservations are open, and no job is
    needed when they expire: past slots are not summed (`usage.quotas.levels`). Level and subject are defined as
    in `QuotaUse`.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "level", "subject_id", "slot")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    level = models.SmallIntegerField(choices=Level.choices)
    subject_id = models.BigIntegerField()
    slot = models.BigIntegerField()
    reserved_nanos = models.BigIntegerField(default=0)


class Refusal(models.Model):
    """The number of reservations that one quota level refused in one hour.

    `team_id` is the team of the call, even at level OWNER; `subject_id` is defined as in `QuotaUse`.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "hour", "level", "subject_id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    hour = models.DateTimeField()
    level = models.SmallIntegerField(choices=Level.choices)
    subject_id = models.BigIntegerField()
    refused = models.BigIntegerField(default=0)
