"""Invitations to join a team."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from teams.models.choices import Role
from teams.models.ids import invitation_public_id
from teams.models.teams import Team
from teams.models.users import User

UNANSWERED = Q(accepted_at=None, declined_at=None, revoked_at=None)


class InvitationQuerySet(QuerySet["Invitation"]):
    """Invitations, filtered by their state. `Invitation.state` says the state of one invitation."""

    def unanswered(self) -> Self:
        """Returns the invitations that are pending or expired: neither accepted, nor declined, nor revoked."""
        return self.filter(UNANSWERED)

    def pending(self, now: datetime) -> Self:
        """Returns the invitations that can be accepted at `now`."""
        return self.unanswered().filter(expires_at__gt=now)

    def in_state(self, state: str, now: datetime) -> Self:
        """Returns the invitations in one state: `pending`, `expired`, `accepted`, `declined` or `revoked`."""
        if state == "pending":
            return self.pending(now)
        if state == "expired":
            return self.unanswered().filter(expires_at__lte=now)
        return self.exclude(**{f"{state}_at": None})


class Invitation(models.Model):
    """An invitation to join a team: by e-mail to one address, or by a link for anybody (`email` is "")."""

    public_id = models.CharField(max_length=24, unique=True, default=invitation_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254, blank=True)
    role = models.CharField(
        max_length=13,
        choices=[(Role.ADMINISTRATOR, Role.ADMINISTRATOR.label), (Role.MEMBER, Role.MEMBER.label)],
        default=Role.MEMBER,
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    max_uses = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # At most one of these three is set. A link gets `accepted_at` when `uses` reaches `max_uses`.
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Why the last e-mail could not be sent, or "". The page shows it with a link to copy instead.
    mail_error = models.CharField(max_length=200, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            # At most one unanswered invitation by e-mail per address and team.
            models.UniqueConstraint(
                "team",
                Lower("email"),
                condition=~models.Q(email="") & UNANSWERED,
                name="invitation_one_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(uses__lte=models.F("max_uses")), name="invitation_uses_limited"
            ),
            models.CheckConstraint(condition=~models.Q(role="owner"), name="invitation_never_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'link'} to {self.team}"

    def state(self, now: datetime) -> str:
        """Returns the state at `now`: `accepted`, `declined`, `revoked`, `expired` or `pending`."""
        for name in ("accepted", "declined", "revoked"):
            if getattr(self, f"{name}_at"):
                return name
        return "expired" if self.expires_at <= now else "pending"
