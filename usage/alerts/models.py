"""What is kept about alerts: what was told, whom it goes to, and every message on its way."""

import json

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Team, User, public_id

DEFAULT_THRESHOLDS = (50, 80, 95, 100)


def webhook_id() -> str:
    return public_id("hook")


def message_id() -> str:
    return public_id("msg")


def default_thresholds() -> list[int]:
    return list(DEFAULT_THRESHOLDS)


class AlertPolicy(models.Model):
    """At which shares of a quota, in whole percent and ascending, a team is alerted; no row: the usual ones."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="alert_policy", primary_key=True)
    thresholds = models.JSONField(default=default_thresholds)

    def __str__(self) -> str:
        return ", ".join(f"{percent}%" for percent in self.thresholds)


class ToldThreshold(models.Model):
    """A quota that was told to have reached a share of its limit in a period: it is told once.

    `team` is that of the level, at level OWNER the personal space of the owner who pays. The limit belongs
    to the key, because the same share of a higher limit is something else.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="told_thresholds")
    level = models.SmallIntegerField()  # a usage.quotas.models.Level
    subject_id = models.BigIntegerField()  # the token or the member (user), else 0
    period = models.CharField(max_length=5)  # a usage.quotas.models.Period
    # The period's first day on the team's calendar; of one that never resets the first day there is.
    first_day = models.DateField()
    limit_nanos = models.BigIntegerField()
    threshold = models.SmallIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            # What makes two senders at once tell once; and what the next look finds it by.
            models.UniqueConstraint(
                fields=["team", "level", "subject_id", "period", "first_day", "limit_nanos", "threshold"],
                name="threshold_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.threshold}% of level {self.level} from {self.first_day}"


class ToldRefusal(models.Model):
    """Up to where the refused calls of a level were told: the hour of the last ones, and how many it had."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="told_refusals")
    level = models.SmallIntegerField()
    subject_id = models.BigIntegerField()
    hour = models.DateTimeField()
    refused = models.BigIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "level", "subject_id"], name="refusal_told_once"),
        ]

    def __str__(self) -> str:
        return f"{self.refused} by level {self.level} at {self.hour:%Y-%m-%d %H:%M}"


class Event(models.TextChoices):
    """What a webhook can be told of, as its messages name it."""

    QUOTA = "quota.threshold", _("Quotas that reach a threshold")
    UNUSUAL = "usage.unusual", _("Unusual episodes")
    REFUSED = "quota.refused", _("Calls refused for quota, hourly at most")


TEST_EVENT = "webhook.test"


class Webhook(models.Model):
    """An address outside that a team's alerts are posted to.

    Its secret is not stored: `usage.alerts.signing` makes it from the site's key, `public_id` and `nonce`.
    """

    public_id = models.CharField(max_length=24, unique=True, default=webhook_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(_("name"), max_length=100)
    # Such as Slack's, it may be a secret itself: never log it, show it to those only who may change it.
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(default=list)
    nonce = models.CharField(max_length=32, editable=False)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Since when every attempt has failed; null after one that was taken.
    failing_since = models.DateTimeField(null=True)
    # Why Callboard switched it off by itself; "" if it did not.
    stopped_because = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name


class MessageState(models.TextChoices):
    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


class Message(models.Model):
    """One alert to one receiver, a webhook or (null) the mail address `to`: written in the transaction that
    decides to tell, sent afterwards, so that a crash in between loses nothing."""

    public_id = models.CharField(max_length=24, unique=True, default=message_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="messages")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="messages", null=True)
    to = models.EmailField(max_length=254, blank=True)
    event = models.CharField(max_length=32)
    summary = models.CharField(max_length=300)
    # The JSON that is posted; of a mail its subject, text and html.
    body = models.TextField()
    state = models.CharField(max_length=9, choices=MessageState.choices, default=MessageState.PENDING)
    created_at = models.DateTimeField()
    # When it is to be tried (again). Whoever tries it moves this on first, past the longest attempt.
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(null=True)
    response_status = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            # The sender looks for the few that are due, housekeeping and the log for a team's newest.
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="message_due"),
            models.Index(fields=["team", "-id"], name="message_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id}: {self.event}, {self.state}"

    @property
    def url(self) -> str:
        """The address of what it tells of; "" where there is none."""
        url: str = json.loads(self.body).get("url", "")
        return url
