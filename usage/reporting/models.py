"""What each key reported: counts by hour, and the latest reasons for rejections.

The rows have no foreign keys: a key is identified by its kind and id. They are deleted after eight days
(`usage.housekeeping`).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeyKind(models.IntegerChoices):
    TOKEN = 0, _("Token")
    GATEWAY_KEY = 1, _("Gateway key")


class KeyHour(models.Model):
    """What one key reported in one hour (UTC).

    `accepted`, `duplicates` and `rejected` count records; `refused_requests` counts requests that were refused
    as a whole. Three times describe the requests of the hour. `worked_at` is the last request with an accepted
    or duplicate record. `failing_since` is the first request after it without any such record, and `failed_at`
    the last request without any.
    """

    pk = models.CompositePrimaryKey("key_kind", "key_id", "hour")
    key_kind = models.SmallIntegerField(choices=KeyKind.choices)
    key_id = models.BigIntegerField()
    hour = models.DateTimeField()
    team_id = models.BigIntegerField()  # 0: a gateway key of the whole site
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    refused_requests = models.BigIntegerField(default=0)
    worked_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Housekeeping and the search for failing keys read all keys of the latest hours.
            models.Index(fields=["hour"], name="key_hour_by_time"),
        ]


class KeyRejection(models.Model):
    """A reason why records of a request, or the whole request, were rejected.

    A request has one row for each reason. Only the latest of each key are stored. A row contains the response,
    never what was sent; the request id is that of the first rejected record.
    """

    key_kind = models.SmallIntegerField(choices=KeyKind.choices)
    key_id = models.BigIntegerField()
    team_id = models.BigIntegerField()
    at = models.DateTimeField()
    code = models.CharField(max_length=64)
    param = models.CharField(max_length=128)
    message = models.CharField(max_length=300)
    request_id = models.CharField(max_length=128)
    records = models.BigIntegerField()  # 0: the request was refused as a whole

    class Meta:
        indexes = [
            # Finds the latest rejections of a key, and the older ones to delete.
            models.Index(fields=["key_kind", "key_id", "-id"], name="key_rejection_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.param}: {self.message}"

    @property
    def about(self) -> str:
        """The code, field and request id of the rejection, as far as they are set, separated by dots."""
        return " · ".join(filter(None, [self.code, self.param, self.request_id]))


class KeyAlert(models.Model):
    """Records that an alert was sent about a key whose records are all rejected.

    `worked_at` is when a record of the key was last accepted. If records are accepted again later, another
    alert may be sent.
    """

    pk = models.CompositePrimaryKey("key_kind", "key_id")
    key_kind = models.SmallIntegerField(choices=KeyKind.choices)
    key_id = models.BigIntegerField()
    team_id = models.BigIntegerField()
    worked_at = models.DateTimeField()
    sent_at = models.DateTimeField()
