"""What is stored about alerts: thresholds, which alerts were sent, webhooks, and the messages of the outbox."""

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
    """The alert thresholds of a team, as whole percentages of a limit, ascending.

    A team without a row has DEFAULT_THRESHOLDS.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="alert_policy", primary_key=True)
    thresholds = models.JSONField(default=default_thresholds)

    def __str__(self) -> str:
        return ", ".join(f"{percent}%" for percent in self.thresholds)


class ThresholdAlert(models.Model):
    """Records that an alert was sent because a quota reached a threshold in a period; at most one each.

    `team` is the team of the quota or, for the balance of an owner, their personal space. The limit is part of
    the unique key, because the same percentage of a higher limit is a new event.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="threshold_alerts")
    level = models.SmallIntegerField()  # a usage.quotas.models.Level
    subject_id = models.BigIntegerField()  # token id or user id; 0 for the quota of a team or owner
    period = models.CharField(max_length=5)  # a usage.quotas.models.Period
    # The period's first day on the team's calendar; date.min for a period that never resets.
    first_day = models.DateField()
    limit_nanos = models.BigIntegerField()
    threshold = models.SmallIntegerField()
    alerted_at = models.DateTimeField()

    class Meta:
        db_table = "usage_toldthreshold"
        constraints = [
            # Makes two simultaneous processes send only one alert; also the index for finding sent alerts.
            models.UniqueConstraint(
                fields=["team", "level", "subject_id", "period", "first_day", "limit_nanos", "threshold"],
                name="threshold_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.threshold}% of level {self.level} from {self.first_day}"


class RefusalAlert(models.Model):
    """Records up to where alerts about the refusals of one quota were sent.

    `hour` is the last hour that an alert covered, and `refused` the number of refusals in it at that time.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="refusal_alerts")
    level = models.SmallIntegerField()
    subject_id = models.BigIntegerField()
    hour = models.DateTimeField()
    refused = models.BigIntegerField()
    alerted_at = models.DateTimeField()

    class Meta:
        db_table = "usage_toldrefusal"
        constraints = [
            models.UniqueConstraint(fields=["team", "level", "subject_id"], name="refusal_told_once"),
        ]

    def __str__(self) -> str:
        return f"{self.refused} by level {self.level} at {self.hour:%Y-%m-%d %H:%M}"


class Event(models.TextChoices):
    """The events that a webhook can subscribe to; the values are the `type` in its messages."""

    QUOTA = "quota.threshold", _("Quotas that reach a threshold")
    UNUSUAL = "usage.unusual", _("Anomalies")
    REFUSED = "quota.refused", _("Calls refused for quota, at most hourly")
    KEY_REJECTED = "key.rejected", _("Tokens and gateway keys of which everything is rejected")


TEST_EVENT = "webhook.test"


class Webhook(models.Model):
    """An external address to which a team's alerts are posted.

    Its secret is not stored: `usage.alerts.signing` derives it from the site's key, `public_id` and `nonce`.
    """

    public_id = models.CharField(max_length=24, unique=True, default=webhook_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(_("name"), max_length=100)
    # The address itself may be secret, as Slack's are: never log it; show it only to those who may change it.
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(default=list)
    nonce = models.CharField(max_length=32, editable=False)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Since when every attempt to send has failed; null after a successful one.
    failing_since = models.DateTimeField(null=True)
    # Why Callboard switched the webhook off automatically; "" if it did not.
    stopped_because = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name


class MessageState(models.TextChoices):
    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")


class Message(models.Model):
    """One alert to one receiver: a webhook or, if that is null, the mail address `to`.

    It is stored in the transaction that decides to send it, and sent afterwards, so a crash in between loses
    nothing.
    """

    public_id = models.CharField(max_length=24, unique=True, default=message_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="messages")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="messages", null=True)
    to = models.EmailField(max_length=254, blank=True)
    event = models.CharField(max_length=32)
    summary = models.CharField(max_length=300)
    # The JSON to post to a webhook; for a mail, JSON with its subject, text and html.
    body = models.TextField()
    state = models.CharField(max_length=9, choices=MessageState.choices, default=MessageState.PENDING)
    created_at = models.DateTimeField()
    # When the next attempt is due. A sender claims the message by moving this past the longest attempt.
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(null=True)
    response_status = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            # The sender looks for the few due messages; housekeeping and the list look for a team's newest.
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="message_due"),
            models.Index(fields=["team", "-id"], name="message_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id}: {self.event}, {self.state}"

    @property
    def url(self) -> str:
        """The address of the page that the message is about; "" if there is none."""
        url: str = json.loads(self.body).get("url", "")
        return url
