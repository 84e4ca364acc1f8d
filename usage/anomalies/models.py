"""Stored about anomalies: which are expected, which were sent as alerts, and who wants to be notified."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import Membership, Mode, Team, User, public_id


def expected_id() -> str:
    return public_id("exp")


class EpisodeRecord(models.Model):
    """A statement about an episode. It applies to every episode of the team and mode that has this kind among
    its kinds (and, for a member's episode, is about the same member) and overlaps `[starts_at, ends_at)`. So
    an episode that continues stays the same while it grows, and next week's is a different one.
    """

    mode = models.SmallIntegerField(choices=Mode.choices)
    kind = models.CharField(max_length=8)  # a usage.anomalies.episodes.Kind
    member = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    sentence = models.CharField(max_length=300)  # as it read at that time

    class Meta:
        abstract = True


class ExpectedEpisode(EpisodeRecord):
    """A mark that an episode is expected, and why: nobody is notified of it again."""

    public_id = models.CharField(max_length=24, unique=True, default=expected_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="expected_episodes")
    # The address of the calls that the sentence counts; "" for marks older than this field.
    calls_path = models.CharField(max_length=500, default="", blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    marked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    marked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="expected_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.starts_at:%Y-%m-%d %H:%M}: {self.reason}"


class EpisodeAlert(EpisodeRecord):
    """An episode for which an alert was sent; there is only one alert for each."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="episode_alerts")
    alerted_at = models.DateTimeField()

    class Meta:
        db_table = "usage_toldepisode"

    def __str__(self) -> str:
        return f"{self.kind} at {self.starts_at:%Y-%m-%d %H:%M}"


class UsageMail(models.Model):
    """Which mails about a team's usage a member wants. Without a row: those about their own quotas.

    All other mails are sent to owners and administrators only.
    """

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, related_name="usage_mail", primary_key=True
    )
    wants_digest = models.BooleanField(_("weekly digest"), default=False)
    wants_alerts = models.BooleanField(_("anomalies"), default=False)
    wants_quotas = models.BooleanField(_("quotas of everybody"), default=False)
    wants_refusals = models.BooleanField(_("refused calls"), default=False)
    wants_own_quotas = models.BooleanField(_("own quotas"), default=True)
    # The Monday of the last week for which a digest was sent, on the team's calendar.
    digest_week = models.DateField(null=True)

    class Meta:
        indexes = [
            # The jobs that send mails look for the few members who want any.
            models.Index(fields=["wants_digest"], condition=models.Q(wants_digest=True), name="digest_wanted"),
            models.Index(fields=["wants_alerts"], condition=models.Q(wants_alerts=True), name="alerts_wanted"),
            models.Index(
                fields=["wants_refusals"], condition=models.Q(wants_refusals=True), name="refusals_wanted"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: digest {self.wants_digest}, alerts {self.wants_alerts}"
