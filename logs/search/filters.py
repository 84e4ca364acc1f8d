"""The only reader of the logs' query strings: the filters of the usage pages, and those of single calls.

A plain form, as the usage pages have one: the search needs a frozen question to choose an index by, where
django-filter would give a queryset that has chosen already.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.widgets import PlainInput, PlainSelect
from logs.formats.readers import known_address
from logs.search.cursors import CursorError, read_cursor
from logs.search.paging import Place
from logs.search.query import NAMES, CallQuery, Sort
from teams.access import Access
from usage.parameters.forms import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    InstantField,
    ManyField,
    UsageFilter,
    outcomes_named,
)
from usage.prices.money import to_nanos
from usage.rollups.query import Granularity, Range, on_the_clock

SORTS = {
    Sort.NEWEST: gettext_lazy("newest first"),
    Sort.OLDEST: gettext_lazy("oldest first"),
    Sort.LATENCY: gettext_lazy("slowest first"),
    Sort.TOKENS: gettext_lazy("most tokens first"),
    Sort.COST: gettext_lazy("dearest first"),
}
RANGES = ("latency", "ttft", "tokens", "cost")
_YES_NO = [("", gettext_lazy("Any")), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]
# The parameters that say where in the list one is, not what is in it.
_NOT_FILTERS = {"cursor", "compare", "granularity", "live", "since", "known", "added"}
_MOST = 10**12
# Microseconds, up to a quarter of an hour, and room for as many of them as a list is told to know.
_OFFSETS, _LONGEST_KNOWN = r"^[0-9]{1,9}(,[0-9]{1,9})*\Z", 2_000
_TO_THE_MINUTE = len("2026-11-20T14:30")
_ANY_TIME = Range(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC), datetime(LATEST_YEAR, 1, 1, tzinfo=UTC))


def statuses_named(texts: Sequence[str]) -> dict[str, int]:
    """HTTP status codes by their text; those of three digits, and 0 for none."""
    return {
        text: int(text)
        for text in texts
        if text == "0" or (text.isascii() and text.isdigit() and len(text) == 3)
    }


# The page of the logs, and those beside it whose filters are chosen in the same menus.
LIST = "logs:list"
_PLACES = {"overview": "usage:overview", "ranking": "usage:ranking"}

_AT_LEAST, _AT_MOST = gettext_lazy("At least"), gettext_lazy("At most")


def _count(label: Any) -> forms.IntegerField:
    number = PlainInput({"inputmode": "numeric"})
    return forms.IntegerField(required=False, min_value=0, max_value=_MOST, label=label, widget=number)


def _dollars(label: Any) -> forms.DecimalField:
    number = PlainInput({"inputmode": "decimal"})
    return forms.DecimalField(
        required=False, min_value=Decimal(0), max_digits=15, decimal_places=9, label=label, widget=number
    )


def _text(longest: int, label: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=longest, label=label, widget=PlainInput)


class ExactField(forms.CharField):
    """A text that calls are stored with as it was sent: blanks around it are part of it, blanks alone are none."""

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        return text if text.strip() else ""


def _exact(longest: int, label: Any) -> ExactField:
    return ExactField(required=False, max_length=longest, strip=False, label=label, widget=PlainInput)


def _yes_no(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=_YES_NO, required=False, label=label, widget=PlainSelect)


class CallFilter(UsageFilter):
    """Every filter of the logs, their order, and the place in the list."""

    outcome = ManyField(outcomes_named, gettext_lazy("There is no outcome “%s”."))
    status = ManyField(statuses_named, gettext_lazy("“%s” is not an HTTP status."))
    latency_from, latency_to = _count(_AT_LEAST), _count(_AT_MOST)
    ttft_from, ttft_to = _count(_AT_LEAST), _count(_AT_MOST)
    tokens_from, tokens_to = _count(_AT_LEAST), _count(_AT_MOST)
    cost_from, cost_to = _dollars(_AT_LEAST), _dollars(_AT_MOST)
    stream = _yes_no(gettext_lazy("Streamed"))
    provider, endpoint, channel, error_type = ManyField(), ManyField(), ManyField(), ManyField()
    error = _text(200, gettext_lazy("Error text"))
    ip, session = _text(64, gettext_lazy("IP address")), _exact(128, gettext_lazy("Session"))
    tag, request = _exact(64, gettext_lazy("Tag")), _exact(128, gettext_lazy("Request ID"))
    unpriced = _yes_no(gettext_lazy("Unpriced"))
    sort = forms.ChoiceField(choices=[*SORTS.items()], required=False)
    cursor = forms.CharField(required=False, max_length=600)
    live = forms.ChoiceField(choices=[("1", "1")], required=False)

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, access=access, now=now)
        self._asked = data
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
        self.place: Place | None = None

    @property
    def sees_team(self) -> bool:
        """Whether others' calls may be asked for."""
        return self._access.sees_team

    @property
    def range_shown(self) -> tuple[str, str]:
        """What the fields of the range show: the period on the team's clock, or what was typed amiss."""
        if not self.is_valid():
            return self._asked.get("from", ""), self._asked.get("to", "")
        asked = self.cleaned_data["ranges"][0]
        start, end = (on_the_clock(at, self._access.team.zone) for at in (asked.start, asked.end))
        return start[:_TO_THE_MINUTE], end[:_TO_THE_MINUTE]

    @property
    def is_live(self) -> bool:
        """Whether new calls are to be added on top: on the first page of the newest."""
        data = self.cleaned_data
        return bool(data["live"]) and self.place is None and data["sort"] is Sort.NEWEST

    def clean_sort(self) -> Sort:
        return Sort(self.cleaned_data["sort"] or Sort.NEWEST)

    def clean_stream(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["stream"])

    def clean_unpriced(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["unpriced"])

    def clean_ip(self) -> str:
        """The address as recording spells it."""
        asked: str = self.cleaned_data["ip"]
        known = known_address(asked) if asked else ""
        if known is None:
            raise ValidationError(_("Write an IP address such as 10.1.2.3 or 2001:db8::1."))
        return known

    def clean_cost_from(self) -> int | None:
        return _nanos(self.cleaned_data["cost_from"])

    def clean_cost_to(self) -> int | None:
        return _nanos(self.cleaned_data["cost_to"])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for name in RANGES:
            least, most = data.get(f"{name}_from"), data.get(f"{name}_to")
            if least is not None and most is not None and least > most:
                self.add_error(f"{name}_to", _("This must not be less than where the range begins."))
        if data.get("cursor") and not self.errors:
            self.place = self._place(data["cursor"], data["sort"])
        return data

    def _place(self, cursor: str, sort: Sort) -> Place:
        try:
            return read_cursor(cursor, self.fingerprint, sort)
        except CursorError as error:
            message = (
                _("This page belongs to other filters. Begin at the first page.")
                if error.is_foreign
                else _("There is no such page. Begin at the first page.")
            )
            raise ValidationError({"cursor": message}) from error

    @property
    def fingerprint(self) -> str:
        """Stands for the team and the filters as they were asked; a preset stays itself while time goes on."""
        data = self._asked
        asked = {name: sorted(data.getlist(name)) for name in self.fields if name not in _NOT_FILTERS}
        text = json.dumps(
            [self._access.team.pk, {name: values for name, values in asked.items() if any(values)}]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def call_query(self) -> CallQuery:
        """The question, once the form is valid. Members see only their own calls.

        A request ID names one call, so it is looked for at any time.
        """
        data, usage = self.cleaned_data, self.query()
        if data["request"]:
            usage = replace(usage, range=_ANY_TIME, previous=None, granularity=Granularity.MONTH)
        asked: dict[str, Any] = {
            name: tuple(data[name]) if isinstance(data[name], list) else data[name] for name in NAMES
        }
        return CallQuery(usage=usage, sort=data["sort"], **asked)


def _nanos(dollars: Decimal | None) -> int | None:
    return None if dollars is None else to_nanos(dollars)


class TailFilter(CallFilter):
    """The filters of a list that is followed, and where the browser stands in it (see `logs.browsing.tail`)."""

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, access=access, now=now)
        self.fields["since"] = InstantField(access.team.zone)
        self.fields["known"] = forms.RegexField(_OFFSETS, required=False, max_length=_LONGEST_KNOWN)
        self.fields["added"] = forms.IntegerField(required=False, min_value=0, max_value=_MOST)


class MenuForm(forms.Form):
    """What the menu of one filter sends along beside the filters of its page: a text to find values by, and what
    is checked. None of it is ever refused: a text too long is cut, a page that does not exist is the list.
    """

    q = forms.Field(required=False)

    def __init__(self, data: QueryDict, *, name: str) -> None:
        super().__init__(data)
        self._asked, self._name = data, name
        # "for" is a word of Python's, so it cannot be declared above.
        self.fields["for"] = forms.Field(required=False)
        # What is checked at this moment, and with `picked` all of it; a search without JavaScript sends along
        # as `chosen` what was checked before.
        self.fields[name] = self.fields["chosen"] = forms.Field(
            required=False, widget=forms.MultipleHiddenInput
        )
        self.fields["picked"] = forms.Field(required=False)

    def clean_q(self) -> str:
        return (self.cleaned_data["q"] or "")[:100]

    @property
    def place(self) -> str:
        """The name of the page that the filters are of."""
        return _PLACES.get(self.cleaned_data["for"], LIST)

    @property
    def chosen(self) -> list[str]:
        """The values that are checked."""
        data = self.cleaned_data
        checked: list[str] = data[self._name] or []
        return checked if "picked" in self._asked else [*checked, *(data["chosen"] or [])]

    @property
    def filters(self) -> QueryDict:
        """The filters of the page as the list has them: it is sorted by other columns."""
        asked = self._asked.copy()
        if self.place != LIST:
            asked.pop("sort", None)
        return asked


class SavedViewForm(forms.Form):
    """A name for the filters of a list."""

    name = forms.CharField(max_length=80)
    query = forms.CharField(max_length=4000, required=False)
    is_shared = forms.BooleanField(required=False)
