"""Transfers of a team from its owner to a successor."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from teams.models.ids import transfer_public_id
from teams.models.teams import Team
from teams.models.users import User

UNANSWERED = Q(accepted_at=None, declined_at=None, cancelled_at=None)


class TransferQuerySet(QuerySet["Transfer"]):
    """Offers to transfer a team."""

    def unanswered(self) -> Self:
        """Offers that are neither accepted, nor declined, nor cancelled; some may have lapsed."""
        return self.filter(UNANSWERED)

    def open(self, now: datetime) -> Self:
        """Offers that can be accepted at `now`."""
        return self.unanswered().filter(expires_at__gt=now)

    def lapsed(self, now: datetime) -> Self:
        """Offers that nobody answered in time and that housekeeping has not closed yet."""
        return self.unanswered().filter(expires_at__lte=now)


class Transfer(models.Model):
    """An owner's offer to transfer a team to a successor; open until it is answered, cancelled or expires."""

    public_id = models.CharField(max_length=24, unique=True, default=transfer_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="transfers")
    offered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    successor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="transfer_offers")
    offered_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team"],
                condition=UNANSWERED,
                name="transfer_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team} to {self.successor}"

    def state(self, now: datetime) -> str:
        """`accepted`, `declined`, `cancelled`, `lapsed` or `open`.

        Housekeeping closes a lapsed offer by setting `cancelled_at` to its expiry.
        """
        if self.accepted_at:
            return "accepted"
        if self.declined_at:
            return "declined"
        if self.cancelled_at and self.cancelled_at < self.expires_at:
            return "cancelled"
        return "lapsed" if self.expires_at <= now or self.cancelled_at else "open"
