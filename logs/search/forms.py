"""The forms of the logs: period, order and position in the list; the menu of a filter; saved views.

The fields of filters are not here: `logs.search.filters.CallFilterSet` adds them to `CallForm`.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from logs.search.cursors import CursorError, read_cursor
from logs.search.filter_types import MOST
from logs.search.query import Position, Sort
from teams.access import Access
from usage.parameters.forms import InstantField, UsageFilter
from usage.rollups.query import on_the_clock

SORTS = {
    Sort.NEWEST: gettext_lazy("newest first"),
    Sort.OLDEST: gettext_lazy("oldest first"),
    Sort.LATENCY: gettext_lazy("slowest first"),
    Sort.TOKENS: gettext_lazy("most tokens first"),
    Sort.COST: gettext_lazy("most expensive first"),
}
# The query parameters that do not change which calls the list has, such as the position in it.
_NOT_FILTERS = {"cursor", "compare", "granularity", "live", "since", "known", "added"}
# Offsets in microseconds, up to a quarter of an hour each, joined by commas; and the longest such text.
_OFFSETS, _LONGEST_KNOWN = r"^[0-9]{1,9}(,[0-9]{1,9})*\Z", 2_000
_TO_THE_MINUTE = len("2026-11-20T14:30")
# The URL name of the list of calls, and those of the other pages that use the same filter menus.
LIST = "logs:list"
_PLACES = {"overview": "usage:overview", "ranking": "usage:ranking"}


class CallForm(UsageFilter):
    """The form of the list of calls: period, order and position. `CallFilterSet` adds the fields of all
    filters.
    """

    # The two query parameters of each range filter: its start and its end.
    ranges: tuple[tuple[str, str], ...] = ()

    sort = forms.ChoiceField(choices=[*SORTS.items()], required=False)
    cursor = forms.CharField(required=False, max_length=600)
    live = forms.ChoiceField(choices=[("1", "1")], required=False)

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, access=access, now=now)
        self._asked = data
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
        self.place: Position | None = None

    @property
    def range_shown(self) -> tuple[str, str]:
        """The texts in the fields of the period: its ends in the team's time zone, or the input if it is
        invalid.
        """
        if not self.is_valid():
            return self._asked.get("from", ""), self._asked.get("to", "")
        asked = self.cleaned_data["ranges"][0]
        start, end = (on_the_clock(at, self._access.team.zone) for at in (asked.start, asked.end))
        return start[:_TO_THE_MINUTE], end[:_TO_THE_MINUTE]

    @property
    def is_live(self) -> bool:
        """Whether new calls are added at the top as they arrive; only on the first page of the list sorted
        newest first.
        """
        data = self.cleaned_data
        return bool(data["live"]) and self.place is None and data["sort"] is Sort.NEWEST

    def clean_sort(self) -> Sort:
        return Sort(self.cleaned_data["sort"] or Sort.NEWEST)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for begins, ends in self.ranges:
            least, most = data.get(begins), data.get(ends)
            if least is not None and most is not None and least > most:
                self.add_error(ends, _("The end of the range must not be below its start."))
        if data.get("cursor") and not self.errors:
            self.place = self._place(data["cursor"], data["sort"])
        return data

    def _place(self, cursor: str, sort: Sort) -> Position:
        try:
            return read_cursor(cursor, self.fingerprint, sort)
        except CursorError as error:
            message = (
                _("This page address belongs to other filters. Start from the first page.")
                if error.is_foreign
                else _("There is no such page. Start from the first page.")
            )
            raise ValidationError({"cursor": message}) from error

    @property
    def fingerprint(self) -> str:
        """A hash that identifies the team and the filters as requested.

        A preset period such as "last 7 days" keeps its fingerprint while time passes.
        """
        data = self._asked
        asked = {name: sorted(data.getlist(name)) for name in self.fields if name not in _NOT_FILTERS}
        text = json.dumps(
            [self._access.team.pk, {name: values for name, values in asked.items() if any(values)}]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class TailForm(CallForm):
    """The form of a request for new calls: the filters of the list, and which calls the browser already has
    (see `logs.browsing.tail`).
    """

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, access=access, now=now)
        self.fields["since"] = InstantField(access.team.zone)
        self.fields["known"] = forms.RegexField(_OFFSETS, required=False, max_length=_LONGEST_KNOWN)
        self.fields["added"] = forms.IntegerField(required=False, min_value=0, max_value=MOST)


class MenuForm(forms.Form):
    """What the menu of one filter sends besides the filters of its page: a search text and the checked values.

    Nothing is ever rejected: a text that is too long is cut, and an unknown page is treated as the list of
    calls.
    """

    q = forms.Field(required=False)

    def __init__(self, data: QueryDict, *, name: str) -> None:
        super().__init__(data)
        self._asked, self._name = data, name
        # `for` is a keyword of Python, so the field cannot be declared above.
        self.fields["for"] = forms.Field(required=False)
        # The field `name` has the checked values; all of them, if `picked` is sent. A search without JavaScript
        # also sends those that were checked before, as `chosen`.
        self.fields[name] = self.fields["chosen"] = forms.Field(
            required=False, widget=forms.MultipleHiddenInput
        )
        self.fields["picked"] = forms.Field(required=False)

    def clean_q(self) -> str:
        return (self.cleaned_data["q"] or "")[:100]

    @property
    def place(self) -> str:
        """The URL name of the page that the filters belong to."""
        return _PLACES.get(self.cleaned_data["for"], LIST)

    @property
    def chosen(self) -> list[str]:
        """All checked values."""
        data = self.cleaned_data
        checked: list[str] = data[self._name] or []
        return checked if "picked" in self._asked else [*checked, *(data["chosen"] or [])]

    @property
    def filters(self) -> QueryDict:
        """The filters of the page as the list of calls reads them: the sort orders of other pages are left out."""
        asked = self._asked.copy()
        if self.place != LIST:
            asked.pop("sort", None)
        return asked


class SavedViewForm(forms.Form):
    """The name under which the filters of a list are saved."""

    name = forms.CharField(max_length=80)
    query = forms.CharField(max_length=4000, required=False)
    is_shared = forms.BooleanField(required=False)
