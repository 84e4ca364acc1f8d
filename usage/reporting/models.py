"""The requests of each key: counts by hour, and the latest reasons for rejections.

Records, without foreign keys; a key is identified by its kind and id. Kept for eight days
(`usage.housekeeping`).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeyKind(models.IntegerChoices):
    TOKEN = 0, _("Token")
    GATEWAY_KEY = 1, _("Gateway key")


class KeyHour(models.Model):
    """What one key reported in one hour of UTC.

    `accepted`, `duplicates` and `rejected` count records, `refused_requests` the requests that were refused as
    a whole. The three times are about the hour's requests: the last one with an accepted record (a duplicate
    counts as accepted), and, of those without any, the first after that and the last.
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
    """A reason why records of a key, or a request, were rejected: one row for each reason in a request.

    Only the latest few of each key are kept. They contain the answer, never what was sent; the request id is
    that of the first record.
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
            # The latest of a key; what is older is deleted by the same.
            models.Index(fields=["key_kind", "key_id", "-id"], name="key_rejection_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.param}: {self.message}"

    @property
    def about(self) -> str:
        """What programs know it by: the code, the field and the request id, as far as there are any."""
        return " · ".join(filter(None, [self.code, self.param, self.request_id]))


class KeyAlert(models.Model):
    """An alert was sent about a key that stopped working; one for each time that it had worked before.

    `worked_at` is when a record was last accepted; after it has worked again, there can be another alert.
    """

    pk = models.CompositePrimaryKey("key_kind", "key_id")
    key_kind = models.SmallIntegerField(choices=KeyKind.choices)
    key_id = models.BigIntegerField()
    team_id = models.BigIntegerField()
    worked_at = models.DateTimeField()
    sent_at = models.DateTimeField()
