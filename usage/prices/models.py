"""The site's own prices of models, and the sources that the cost of a call can come from."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Mode


class PricedBy(models.IntegerChoices):
    """The source of a call's cost."""

    NOTHING = 0, _("unpriced")
    REPORT = 1, _("reported with the call")
    SITE = 2, _("the site's price")
    LIST = 3, _("the public price list")
    FAILURE = 4, _("failed, not charged")


_RATE: dict[str, Any] = {"max_digits": 12, "decimal_places": 6, "validators": [MinValueValidator(0)]}


class Price(models.Model):
    """The site's own price of a model, valid from a given time on, in US dollars per million tokens.

    It takes precedence over the public price list. Cached tokens and cache writes cost the input price if they
    have no price of their own.
    """

    model = models.CharField(_("model"), max_length=128)
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    input_usd = models.DecimalField(_("input, $ per million"), **_RATE)
    output_usd = models.DecimalField(_("output, $ per million"), **_RATE)
    cached_usd = models.DecimalField(_("cached input, $ per million"), null=True, blank=True, **_RATE)
    cache_write_usd = models.DecimalField(_("cache writes, $ per million"), null=True, blank=True, **_RATE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="price_one_from_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from:%Y-%m-%d}"


class ZeroReport(models.Model):
    """How many calls of a model were reported with a cost of $0 on one day, although their tokens have a price.

    `worth_nanos` is what they would have cost by that price when they were recorded. Calls answered from a
    cache are not counted. The table is a record: it has a team id without a foreign key, and rows stay when
    calls are deleted.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "day", "model")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    day = models.DateField()  # in the team's time zone
    model = models.CharField(max_length=128)
    calls = models.BigIntegerField(default=0)
    worth_nanos = models.BigIntegerField(default=0)

    class Meta:
        # For site staff, who see the last days of all teams.
        indexes = [models.Index(fields=["day", "model"], name="zero_report_by_day")]

    def __str__(self) -> str:
        return f"{self.calls} calls of {self.model} on {self.day}"
