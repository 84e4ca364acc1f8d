"""Base of the filters of lists: a django-filter `FilterSet` that reads a page number and can show errors."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import FilterSet


class PageForm(forms.Form):
    """Form that reads the number of the page of the list; 1 if none is given."""

    page = forms.IntegerField(required=False, min_value=1)

    def clean_page(self) -> int:
        return self.cleaned_data["page"] or 1


class OlderForm(forms.Form):
    """Form that reads where a list continues: with the rows whose ids are below `before`."""

    before = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)


class ListFilterSet(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """The filters of a list, read from the URL. Their form may have fields that are no filters, such as `page`.

    Filters compare expiry times with `now`; if it is None, with the current time. An invalid parameter does not
    filter, and the form has an error for it.
    """

    def __init__(self, data: Any, queryset: QuerySet[Any], *, now: datetime | None = None, **more: Any) -> None:
        super().__init__(data, queryset, **more)
        self.now: datetime = now or timezone.now()

    @property
    def form(self) -> forms.Form:
        """The form of the filters. The HTML ids of its fields differ from those of other forms on the page."""
        form: forms.Form = super().form
        form.auto_id = "filter_%s"
        return form

    @property
    def found(self) -> QuerySet[Any]:
        """The rows that match the filters."""
        rows: QuerySet[Any] = self.qs if self.is_valid() else self.filter_queryset(self.queryset)
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Returns the queryset with each filter applied. Filters with invalid parameters are not applied."""
        for name, one in self.filters.items():
            queryset = one.filter(queryset, self.form.cleaned_data.get(name))
        return queryset

    def number(self, name: str = "page") -> int:
        """Returns the number of the page that is shown: the field `name` of the form, or 1 if none is given."""
        return self.form.cleaned_data.get(name) or 1

    @property
    def is_filtered(self) -> bool:
        """Whether at least one filter is set."""
        return any(self.form.cleaned_data.get(name) for name in self.filters)
