"""What is stored about anomalies: which are expected, which were sent as alerts, and who wants which mails."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import Membership, Mode, Team, User, public_id


def expected_id() -> str:
    return public_id("exp")


class EpisodeRecord(models.Model):
    """Abstract base of what is stored about an episode, which itself is only computed.

    A record applies to every episode of the team and mode that has this kind among its kinds, is about the same
    member (if it is a member's episode), and overlaps `[starts_at, ends_at)`. So the record still applies while
    the episode grows, but not to a similar episode a week later.
    """

    mode = models.SmallIntegerField(choices=Mode.choices)
    kind = models.CharField(max_length=8)  # a usage.anomalies.episodes.Kind
    member = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    sentence = models.CharField(max_length=300)  # the episode's sentence when this was stored

    class Meta:
        abstract = True


class ExpectedEpisode(EpisodeRecord):
    """Marks an episode as expected, with the reason; nobody is notified of it again."""

    public_id = models.CharField(max_length=24, unique=True, default=expected_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="expected_episodes")
    # The address of the calls that the sentence counts; "" for marks made before this field existed.
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
    """Records that an alert about an episode was sent; each episode gets only one."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="episode_alerts")
    alerted_at = models.DateTimeField()

    class Meta:
        db_table = "usage_toldepisode"

    def __str__(self) -> str:
        return f"{self.kind} at {self.starts_at:%Y-%m-%d %H:%M}"


class UsageMail(models.Model):
    """Which mails about a team's usage a member wants.

    A member without a row gets the mails about their own quotas. All other mails are sent only to owners and
    administrators.
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
