"""Teams and memberships."""

import zoneinfo
from datetime import datetime
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models.choices import Role
from teams.models.users import User


def validate_time_zone(name: str) -> None:
    """Raises ValidationError if the time zone database does not have this name."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(
            _("“%(name)s” is not a time zone. Enter one such as Europe/Berlin."), params={"name": name}
        ) from error


def team_is_alive(path: str = "team") -> Q:
    """Returns a condition for rows that refer to a team: the team is not deleted.

    `path` is the name of the relation.
    """
    return Q(**{f"{path}__deleted_at": None})


class TeamQuerySet(QuerySet["Team"]):
    """Teams, filtered by whether and when they were deleted."""

    def alive(self) -> Self:
        """Returns the teams that are not deleted."""
        return self.filter(deleted_at=None)

    def deleted_by(self, moment: datetime) -> Self:
        """Returns the teams that were deleted at `moment` or before."""
        return self.filter(deleted_at__lte=moment)


class Team(models.Model):
    """A group of members with its tokens, calls and quota. A personal space is a team with one member."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_teams")
    is_personal = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Set when the owner deletes the team; staff can restore it until housekeeping purges it.
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(is_personal=True), name="team_one_personal_space"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone in which the team's days and quota periods begin."""
        return zoneinfo.ZoneInfo(self.time_zone)


class Membership(models.Model):
    """The membership of a user in a team, with a role. The row is deleted when the user leaves or is removed.

    Their calls, statistics and activity stay.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=13, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_unique"),
            # Actions ensure that a team has exactly one owner; this constraint protects against errors in them.
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(role="owner"), name="membership_one_owner"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"
