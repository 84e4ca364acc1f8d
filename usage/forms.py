"""The only reader of the usage pages' query strings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.access import Access
from teams.models import Mode
from usage.people import people_named, tokens_named
from usage.query import (
    PRESETS,
    Dimension,
    Granularity,
    Range,
    UsageQuery,
    automatic_granularity,
    preceding,
    preset_ranges,
)
from usage.ranking import Order, Sort

RANKED = (Dimension.MEMBER, Dimension.TOKEN, Dimension.MODEL)
DEFAULT_PERIOD = "7d"
# The most buckets a chart or answer has; more is neither drawn nor read.
MOST_BUCKETS = 1500
MOST_VALUES = 200
_BUCKET_DAYS = {Granularity.HOUR: 1 / 24, Granularity.DAY: 1, Granularity.WEEK: 7, Granularity.MONTH: 28}
LONGEST = timedelta(days=10 * 366)
# No call lies outside; beyond these the arithmetic of time runs out.
EARLIEST_YEAR, LATEST_YEAR = 2000, 2200


class UsageFilter(forms.Form):
    """Period, granularity, comparison and filters of a usage page."""

    period = forms.ChoiceField(choices=[*PRESETS.items()], required=False)
    granularity = forms.ChoiceField(
        choices=[("", gettext_lazy("Automatic")), *((item.value, item.label) for item in Granularity)],
        required=False,
    )
    mode = forms.ChoiceField(choices=[("live", "live"), ("test", "test")], required=False)
    compare = forms.ChoiceField(choices=[("previous", "previous"), ("none", "none")], required=False)

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data)
        self._access, self._now = access, now
        # "from" is a word of Python's, so these two cannot be declared above.
        self.fields["from"] = InstantField(access.team.zone)
        self.fields["to"] = InstantField(access.team.zone)
        self.fields["member"] = ManyField(
            partial(people_named, access.team), gettext_lazy("There is no member “%s” in this team.")
        )
        self.fields["token"] = ManyField(
            partial(tokens_named, access.team), gettext_lazy("There is no token “%s” in this team.")
        )
        self.fields["model"] = ManyField()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        data["ranges"] = self._ranges(data)
        asked = data["ranges"][0]
        try:
            data["granularity"] = checked_granularity(data["granularity"], asked)
        except ValueError as error:
            raise ValidationError({"granularity": str(error)}) from error
        return data

    def _ranges(self, data: dict[str, Any]) -> tuple[Range, Range]:
        if not (data["from"] or data["to"]):
            return preset_ranges(data["period"] or DEFAULT_PERIOD, self._now, self._access.team.zone)
        if not (data["from"] and data["to"]):
            missing = "to" if data["from"] else "from"
            raise ValidationError({missing: _("A range needs both a beginning and an end.")})
        start, end = data["from"], data["to"]
        if start >= end:
            raise ValidationError({"to": _("The end must be after the beginning.")})
        if end - start > LONGEST:
            raise ValidationError({"to": _("A range can be ten years long at most.")})
        asked = Range(start, end)
        return asked, preceding(asked)

    def query(self) -> UsageQuery:
        """The question, once the form is valid. Members see only their own usage."""
        data = self.cleaned_data
        asked, previous = data["ranges"]
        own = () if self._access.sees_team else (self._access.user.pk,)
        return UsageQuery(
            team=self._access.team,
            mode=Mode.TEST if data["mode"] == "test" else Mode.LIVE,
            range=asked,
            previous=None if data["compare"] == "none" else previous,
            granularity=data["granularity"],
            members=own or tuple(data["member"]),
            models=tuple(data["model"]),
            tokens=tuple(data["token"]),
        )


class RankingFilter(UsageFilter):
    """What is ranked, by which column, searched for what, and which page of it."""

    by = forms.ChoiceField(choices=[(one, one) for one in RANKED], required=False)
    sort = forms.ChoiceField(choices=[(one, one) for one in Sort], required=False)
    order = forms.ChoiceField(choices=[("asc", "asc"), ("desc", "desc")], required=False)
    q = forms.CharField(max_length=100, required=False, strip=True)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

    def order_asked(self) -> Order:
        """How the ranking is to be shown, once the form is valid. Names begin with A, numbers with the most."""
        data = self.cleaned_data
        sort = Sort(data["sort"] or Sort.CALLS)
        return Order(
            by=Dimension(data["by"] or Dimension.MEMBER),
            sort=sort,
            is_ascending=data["order"] == "asc" or (sort is Sort.NAME and data["order"] != "desc"),
            search=data["q"],
            page=data["page"] or 1,
        )


class ExportForm(forms.Form):
    """In which form the figures of a page are saved."""

    format = forms.ChoiceField(choices=[("csv", "CSV"), ("json", "JSON")])


OWN_DAYS = (7, 30, 90)


class OwnFilter(forms.Form):
    """How many days the personal page looks back."""

    days = forms.TypedChoiceField(choices=[(days, days) for days in OWN_DAYS], coerce=int, required=False)

    def days_back(self) -> int:
        """The days asked for; 30 when nothing sensible was."""
        return (self.cleaned_data.get("days") if self.is_valid() else None) or 30


class ExpectedForm(forms.Form):
    """Why an episode of a page is expected. `page` is the page's query string, to find it there and go back."""

    episode = forms.CharField(max_length=100)
    reason = forms.CharField(label=gettext_lazy("Why was this expected?"), max_length=200)

    @property
    def page(self) -> QueryDict:
        """The parameters of the page that the form was on."""
        return QueryDict(self.data.get("page", "")[:4000])


def checked_granularity(asked: str, of: Range) -> Granularity:
    """The step asked for, or the automatic one for "". Raises ValueError with a message for people."""
    if not asked:
        return automatic_granularity(of)
    if asked not in set(Granularity):
        raise ValueError(_("Take hour, day, week or month."))
    granularity = Granularity(asked)
    if of.length / timedelta(days=1) / _BUCKET_DAYS[granularity] > MOST_BUCKETS:
        raise ValueError(_("That is too fine for so long a range; take a coarser step."))
    return granularity


class InstantField(forms.Field):
    """A time as typed, read on the team's clock; with an offset it names the hour that DST repeats, too."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(required=False)
        self._zone = zone

    def clean(self, value: Any) -> datetime | None:
        """The instant (UTC), or None for nothing. Raises ValidationError."""
        if not value:
            return None
        try:
            at = datetime.fromisoformat(str(value).strip())
            at = (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError(_("Write a time such as 2026-11-20T14:30.")) from error
        if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
            raise ValidationError(_("The year is beyond what this site knows."))
        return at


class ManyField(forms.Field):
    """A repeatable parameter: public ids translated to database ids by `find`, or any text without it."""

    widget = forms.MultipleHiddenInput

    def __init__(self, find: Callable[[list[str]], dict[str, int]] | None = None, message: Any = "") -> None:
        super().__init__(required=False)
        self._find, self._message = find, message

    def clean(self, value: Any) -> list[Any]:
        """The values, each once, in the order in which they came."""
        values = list(dict.fromkeys(text.replace("\x00", "")[:128] for text in value or [] if text))
        if len(values) > MOST_VALUES:
            raise ValidationError(_("Take at most %d at once.") % MOST_VALUES)
        if self._find is None or not values:
            return values
        known = self._find(values)
        for text in values:
            if text not in known:
                raise ValidationError(str(self._message) % text[:40])
        return [known[text] for text in values]
