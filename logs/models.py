"""What happened: the call, one row for each finished request to a model."""

from django.db import models

from teams.models import Mode
from usage.models import Outcome, PricedBy


class Call(models.Model):
    """One finished request to a model, successful or not. Written once, by `logs.record`, never changed.

    A record: keyed by team, no foreign keys, never joined; names are looked up apart. The id is a UUIDv7
    of `started_at` to the microsecond (`logs.ids`): a range of time is a range of the primary key, and
    paging by id is paging by time.
    """

    pk = models.CompositePrimaryKey("team_id", "id")
    team_id = models.BigIntegerField()
    id = models.UUIDField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    request_id = models.CharField(max_length=128)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()

    # Who: a user, their token (0: reported by a gateway for the member), the gateway key (0: none), and
    # the owner whose balance paid.
    member_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    gateway_key_id = models.BigIntegerField()
    payer_id = models.BigIntegerField()

    # What and how it went. Times in milliseconds, null when unknown.
    model = models.CharField(max_length=128)
    provider = models.CharField(max_length=64)
    endpoint = models.CharField(max_length=64)
    channel = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    outcome = models.SmallIntegerField(choices=Outcome.choices)
    stream = models.BooleanField()
    latency_ms = models.BigIntegerField(null=True)
    ttft_ms = models.BigIntegerField(null=True)

    # How much. `input_tokens` includes cached ones; cost in nano-dollars.
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    cost_nanos = models.BigIntegerField()
    priced_by = models.SmallIntegerField(choices=PricedBy.choices)

    error_type = models.CharField(max_length=128)
    error_code = models.CharField(max_length=128)
    error_message = models.CharField(max_length=1000)
    ip = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=256)
    session_id = models.CharField(max_length=128)
    tags = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = [
            # A call reported again changes nothing: duplicates fall out by this.
            models.UniqueConstraint(fields=["team_id", "mode", "request_id"], name="call_reported_once"),
        ]
        indexes = [
            # One member's own calls, newest first: the logs and the personal page of every member.
            models.Index(fields=["team_id", "member_id", "-id"], name="call_by_member"),
            # Failed calls are few and asked for most. The query must itself say outcome != 0.
            models.Index(fields=["team_id", "-id"], name="call_failed", condition=~models.Q(outcome=0)),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.started_at:%Y-%m-%d %H:%M:%S}"
