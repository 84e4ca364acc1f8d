"""Offers to transfer the ownership of a team to a successor."""

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
    """Offers of ownership, filtered by their state. `Transfer.state` says the state of one offer."""

    def unanswered(self) -> Self:
        """Returns the offers that are neither accepted, nor declined, nor cancelled.

        They are open or have expired.
        """
        return self.filter(UNANSWERED)

    def open(self, now: datetime) -> Self:
        """Returns the offers that can be accepted at `now`."""
        return self.unanswered().filter(expires_at__gt=now)

    def lapsed(self, now: datetime) -> Self:
        """Returns the offers that expired without an answer and that housekeeping has not closed yet."""
        return self.unanswered().filter(expires_at__lte=now)


class Transfer(models.Model):
    """An owner's offer to make a successor the owner.

    It is open until it is accepted, declined, cancelled or expires.
    """

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
        """Returns the state at `now`: `accepted`, `declined`, `cancelled`, `lapsed` or `open`.

        An offer lapses when it expires without an answer. Housekeeping then sets `cancelled_at` to the time of
        expiry.
        """
        if self.accepted_at:
            return "accepted"
        if self.declined_at:
            return "declined"
        if self.cancelled_at and self.cancelled_at < self.expires_at:
            return "cancelled"
        return "lapsed" if self.expires_at <= now or self.cancelled_at else "open"
