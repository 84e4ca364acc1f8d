"""Forms that read a time range and filters from a page's query string. Other filter forms inherit from them."""

from collections.abc import Callable, Sequence
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
from teams.models import Mode, Team
from usage.parameters.names import ids_named, people_named, tokens_named
from usage.rollups.buckets import instant_of
from usage.rollups.models import Outcome
from usage.rollups.query import (
    PRESETS,
    Granularity,
    Range,
    UsageQuery,
    automatic_granularity,
    preceding,
    preset_ranges,
)

DEFAULT_PERIOD = "7d"


# The most buckets that a chart or an API response may have.
MOST_BUCKETS = 1500


MOST_VALUES = 200


_BUCKET_DAYS = {Granularity.HOUR: 1 / 24, Granularity.DAY: 1, Granularity.WEEK: 7, Granularity.MONTH: 28}


LONGEST = timedelta(days=10 * 366)


# No call has a time outside these years, and date arithmetic could overflow there.
EARLIEST_YEAR, LATEST_YEAR = 2000, 2200


def outcomes_named(words: Sequence[str]) -> dict[str, int]:
    """Returns the numbers of outcomes by their words, such as `succeeded`; unknown words are left out."""
    known = {outcome.word: outcome.value for outcome in Outcome}
    return {word: known[word] for word in words if word in known}


class RangeFilter(forms.Form):
    """Reads period, granularity, comparison, mode and models from the query string. Times are in the time zone
    `zone`.
    """

    default_period = DEFAULT_PERIOD

    period = forms.ChoiceField(choices=[*PRESETS.items()], required=False)
    granularity = forms.ChoiceField(
        choices=[("", gettext_lazy("Automatic")), *((item.value, item.label) for item in Granularity)],
        required=False,
    )
    mode = forms.ChoiceField(choices=[("live", "live"), ("test", "test")], required=False)
    compare = forms.ChoiceField(choices=[("previous", "previous"), ("none", "none")], required=False)

    def __init__(self, data: QueryDict, *, zone: ZoneInfo, now: datetime) -> None:
        super().__init__(data)
        self.zone, self._now = zone, now
        # "from" is a keyword of Python, so these two fields cannot be declared as attributes.
        self.fields["from"] = InstantField(zone)
        self.fields["to"] = InstantField(zone)
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

    @property
    def period_shown(self) -> str:
        """Returns the name of the requested preset, or `custom`."""
        return "custom" if "from" in self.data else self.data.get("period") or self.default_period

    @property
    def mode_asked(self) -> Mode:
        """Returns the requested mode, even if the form is invalid; live mode by default."""
        return Mode.TEST if self.data.get("mode") == "test" else Mode.LIVE

    def _ranges(self, data: dict[str, Any]) -> tuple[Range, Range]:
        if not (data["from"] or data["to"]):
            return preset_ranges(data["period"] or self.default_period, self._now, self.zone)
        if not (data["from"] and data["to"]):
            missing = "to" if data["from"] else "from"
            raise ValidationError({missing: _("Enter both the start and the end of the range.")})
        start, end = data["from"], data["to"]
        if start >= end:
            raise ValidationError({"to": _("The end must be after the start.")})
        if end - start > LONGEST:
            raise ValidationError({"to": _("The range must be at most ten years long.")})
        asked = Range(start, end)
        return asked, preceding(asked, self.zone)

    def _query(self, team: Team, ranges: tuple[Range, Range], **filters: Any) -> UsageQuery:
        """Returns the `UsageQuery` for one team. The form must be valid."""
        data = self.cleaned_data
        return UsageQuery(
            team=team,
            mode=self.mode_asked,
            range=ranges[0],
            previous=None if data["compare"] == "none" else ranges[1],
            granularity=data["granularity"],
            models=tuple(data["model"]),
            **filters,
        )


class UsageFilter(RangeFilter):
    """Also reads the filters by member and by token, for a page about one team."""

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, zone=access.team.zone, now=now)
        self._access = access
        self.fields["member"] = self._members(access)
        self.fields["token"] = self._tokens(access)

    @staticmethod
    def _members(
        access: Access, find: Callable[[Team, list[str]], dict[str, int]] = people_named
    ) -> "ManyField":
        """Returns the field of the filter by member.

        A user who may not see the whole team may only name themselves. For anybody else they get the same
        error, whether that person is in the team or not, so that they do not learn who is.
        """
        if access.sees_team:
            known, unknown = partial(find, access.team), gettext_lazy("There is no member “%s” in this team.")
            return ManyField(known, unknown)
        own = partial(ids_named, [access.user])
        return ManyField(own, gettext_lazy("You may only see your own calls, not those of “%s”."))

    @staticmethod
    def _tokens(access: Access) -> "ManyField":
        """Returns the field of the filter by token.

        A user who may not see the whole team may only name their own tokens. For tokens of others they get the
        same error as for tokens that do not exist.
        """
        find = partial(tokens_named, access.team)
        if access.sees_team:
            return ManyField(find, gettext_lazy("There is no token “%s” in this team."))
        own = partial(find, holder=access.user)
        return ManyField(own, gettext_lazy("You have no token “%s” in this team."))

    def query(self) -> UsageQuery:
        """Returns the `UsageQuery` of a valid form, limited to the user's own usage if they may not see the
        whole team.
        """
        data = self.cleaned_data
        own = () if self._access.sees_team else (self._access.user.pk,)
        members, tokens = own or tuple(data["member"]), tuple(data["token"])
        return self._query(self._access.team, data["ranges"], members=members, tokens=tokens)


def checked_granularity(asked: str, of: Range) -> Granularity:
    """Returns the requested granularity; for "" one that suits the length of the range.

    Raises ValueError, with a message for users, for an unknown granularity or one that makes too many buckets.
    """
    if not asked:
        return automatic_granularity(of)
    if asked not in set(Granularity):
        raise ValueError(_("Use hour, day, week or month."))
    granularity = Granularity(asked)
    if of.length / timedelta(days=1) / _BUCKET_DAYS[granularity] > MOST_BUCKETS:
        raise ValueError(_("This step is too fine for such a long range. Choose a coarser one."))
    return granularity


class InstantField(forms.Field):
    """A field for a time typed in local time of the team's time zone, or with a UTC offset.

    The offset is needed to choose between the two hours that the clock shows twice when daylight saving ends.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(required=False)
        self._zone = zone

    def clean(self, value: Any) -> datetime | None:
        """Returns the instant (UTC), or None if the field is empty. Raises ValidationError."""
        if not value:
            return None
        try:
            at = datetime.fromisoformat(str(value).strip())
            at = at.astimezone(UTC) if at.tzinfo else instant_of(at, self._zone)
        except (ValueError, OverflowError) as error:
            raise ValidationError(_("Enter a time such as 2026-11-20T14:30.")) from error
        if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
            raise ValidationError(_("The year is out of range."))
        return at


class ManyField(forms.Field):
    """A field with several values, from a parameter that can be repeated.

    `find` translates public ids to database ids. Without it, the values can be any text.
    """

    widget = forms.MultipleHiddenInput

    def __init__(self, find: Callable[[list[str]], dict[str, int]] | None = None, message: Any = "") -> None:
        super().__init__(required=False)
        self._find, self._message = find, message

    def clean(self, value: Any) -> list[Any]:
        """Returns the values in the given order, without duplicates.

        Raises ValidationError for too many values, or for one that `find` does not know.
        """
        values = list(dict.fromkeys(text.replace("\x00", "")[:128] for text in value or [] if text))
        if len(values) > MOST_VALUES:
            raise ValidationError(_("Use at most %d values.") % MOST_VALUES)
        if self._find is None or not values:
            return values
        known = self._find(values)
        for text in values:
            if text not in known:
                raise ValidationError(str(self._message) % text[:40])
        return list(dict.fromkeys(known[text] for text in values))
