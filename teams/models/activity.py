"""The table of the activity, which is the audit log: one row for each change."""

from django.db import models
from django.utils import timezone

from teams.models.teams import Team
from teams.models.users import User


class Activity(models.Model):
    """One change: who changed what, the values before and after, when, and from which IP address.

    Rows are never edited.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="activity", null=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    # Null if the site itself made the change, such as a command or housekeeping.
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    kind = models.CharField(max_length=40)
    # The user and the thing that were changed. `subject` is the thing's name, which is kept when it is deleted.
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    subject = models.CharField(max_length=254, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        verbose_name_plural = "activity"
        indexes = [
            # The activity page reads one team, newest first.
            models.Index(fields=["team", "-at", "-id"], name="activity_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"
