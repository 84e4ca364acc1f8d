"""The base of filters for lists over querysets: a django-filter `FilterSet` with paging and errors in the page."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import FilterSet


class PageForm(forms.Form):
    """Reads the number of the page that is shown; 1 if none is given."""

    page = forms.IntegerField(required=False, min_value=1)

    def clean_page(self) -> int:
        return self.cleaned_data["page"] or 1


class OlderForm(forms.Form):
    """Reads where a list continues: with rows whose id is below `before`."""

    before = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)


class ListFilterSet(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of a list, read from the URL. Its form may have more fields than filters, such as `page`.

    `now` is the time by which filters decide what is expired; None is the present. A parameter that is invalid does
    not filter, and the form has its error for the page.
    """

    def __init__(self, data: Any, queryset: QuerySet[Any], *, now: datetime | None = None, **more: Any) -> None:
        super().__init__(data, queryset, **more)
        self.now: datetime = now or timezone.now()

    @property
    def form(self) -> forms.Form:
        """The form of the filters. Its ids differ from those of other forms on the page."""
        form: forms.Form = super().form
        form.auto_id = "filter_%s"
        return form

    @property
    def found(self) -> QuerySet[Any]:
        """The rows that the filters leave."""
        rows: QuerySet[Any] = self.qs if self.is_valid() else self.filter_queryset(self.queryset)
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Applies each filter; those of invalid parameters leave the queryset as it is."""
        for name, one in self.filters.items():
            queryset = one.filter(queryset, self.form.cleaned_data.get(name))
        return queryset

    def number(self, name: str = "page") -> int:
        """The page that is shown, by the field `name` of the form."""
        return self.form.cleaned_data.get(name) or 1

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return any(self.form.cleaned_data.get(name) for name in self.filters)
