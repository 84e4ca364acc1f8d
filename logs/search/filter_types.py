"""The types of filters of the logs. They are django-filter's `Filter`, but refine a frozen `CallQuery`, not a
queryset.

A filter is declared once, in `logs.search.filters.CallFilterSet`. The form, chips, menus of values, query,
OpenAPI schema and `docs/filters.md` are made from that declaration.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import Filter

from config.widgets import PlainInput, PlainSelect
from logs.formats.readers import known_address
from logs.search.query import IN_ROLLUPS, CallQuery, Condition, Index
from usage.parameters.forms import ManyField
from usage.prices.money import to_nanos
from usage.rollups.query import Dimension
from usage.rollups.reader import COLUMN

MOST = 10**12  # the highest number that a filter accepts
_EMPTY: tuple[Any, ...] = (None, "", (), [])


@dataclass(frozen=True)
class Choice:
    """A value that can be chosen in a filter's menu: as URLs write it, its label, and the number of its calls."""

    value: str
    label: str
    calls: int
    note: str = ""
    is_least: bool = False  # there may be more calls than were counted


@dataclass(frozen=True)
class Counted:
    """The values of a filter with their calls. `sample` is the number of latest calls that were searched for
    values; 0 means all.
    """

    choices: list[Choice]
    sample: int = 0


@dataclass(frozen=True)
class Parameter:
    """A query parameter, as OpenAPI and the docs describe it."""

    name: str
    about: str
    schema: dict[str, Any]


class CallFilter(Filter):  # type: ignore[misc]  # django-filter has no types
    """One filter of the logs: its query parameter, form field and chip, and the condition that it adds to a
    query.

    `name` is the query parameter; `about` describes it in OpenAPI and the docs. `choices` is the function that
    counts the values to choose from; without it the value is typed. A filter that `is_always_shown` has a chip
    even if it is not set. `indexes`, `entry`, `fails` and `sql` are those of `Condition`; without an index,
    calls are checked one by one.
    """

    name: str
    unit: Any = ""
    # Whether it is hidden from members, who see only their own calls.
    is_for_team = False

    def __init__(
        self,
        field_name: str,
        lookup_expr: str = "exact",
        *,
        label: Any,
        about: str,
        choices: Callable[[Any, CallQuery], Counted] | None = None,
        is_always_shown: bool = False,
        indexes: Iterable[Index] = (),
        entry: Index | None = None,
        sql: Callable[[CallQuery, Condition, str], Any] | None = None,
        fails: Callable[[Any], bool] = lambda value: False,
        **field: Any,
    ) -> None:
        super().__init__(field_name, lookup_expr, label=label, **field)
        self.about, self.choices, self.is_always_shown = about, choices, is_always_shown
        self.indexes, self.entry, self.sql = frozenset(indexes) | ({entry} if entry else set()), entry, sql
        self.fails = fails

    def __deepcopy__(self, memo: object) -> "CallFilter":
        """Returns a shallow copy. Every request copies the filters; their attributes are never changed, so they
        can be shared.
        """
        return copy.copy(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the filter's query parameters."""
        return (self.name,)

    @property
    def fields(self) -> dict[str, forms.Field]:
        """The filter's form fields, by query parameter."""
        return {self.name: self.field}

    def value_in(self, data: dict[str, Any]) -> Any:
        """Returns the filter's value from the cleaned data of the form."""
        return data[self.name]

    def read(self, text: str) -> Any:
        """Converts a text from the URL to the filter's value; None if it is not valid."""
        return text

    @property
    def lookup(self) -> str:
        return self.field_name if self.lookup_expr == "exact" else f"{self.field_name}__{self.lookup_expr}"

    def filter(self, query: CallQuery, value: Any) -> CallQuery:
        """Returns the query with the condition that calls have this value; the same query if the value is
        empty.
        """
        return query if value in _EMPTY else query.where(self.condition(self.lookup, value))

    def condition(self, lookup: str, value: Any) -> Condition:
        return Condition(lookup, value, self.indexes, self.entry, self.fails, self.sql)

    def words(self, query: CallQuery) -> str:
        """Returns the filter's value as its chip shows it; "" if the filter is not set."""
        return str(query.value(self.lookup, ""))

    def parameters(self) -> list[Parameter]:
        """Returns the filter's query parameters, as OpenAPI and the docs describe them."""
        return [Parameter(self.name, self.about, {"type": "string"})]


def in_short(values: Sequence[object]) -> str:
    """Returns the first of several values and the number of the others, such as "gpt-5 + 2"; "" for none."""
    if not values:
        return ""
    first = str(values[0]) or "–"
    return first + (f" + {len(values) - 1}" if len(values) > 1 else "")


class ManyFilter(CallFilter):
    """Filters a column by one or several values: the query parameter can be repeated.

    `named` returns the column's value for each text and leaves out unknown texts, for which `unknown` is the
    error message. `label_of` returns a value as people read it.
    """

    def __init__(
        self,
        field_name: str,
        *,
        named: Callable[[Sequence[str]], dict[str, int]] | None = None,
        unknown: Any = "",
        label_of: Callable[[Any], object] = lambda value: value,
        **declared: Any,
    ) -> None:
        super().__init__(field_name, "in", **declared)
        self.named, self.label_of, self._unknown = named, label_of, unknown

    @property
    def field(self) -> forms.Field:
        return ManyField(self.named, self._unknown)

    def value_in(self, data: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(data[self.name])

    def read(self, text: str) -> Any:
        value = self.named([text]).get(text) if self.named else text
        return None if value in _EMPTY else (value,)

    def words(self, query: CallQuery) -> str:
        return in_short([self.label_of(value) for value in query.value(self.lookup, ())])

    def parameters(self) -> list[Parameter]:
        return [Parameter(self.name, f"{self.about}; repeatable", {"type": "string"})]


class DimensionFilter(ManyFilter):
    """Filters by one or several members, models or tokens. The rollups count by these, so the filter refines
    the usage query.

    Its field is that of the usage pages (`usage.parameters.forms.UsageFilter`), which checks whose calls the
    user may see. `labels_of` returns the labels of several values at once.
    """

    def __init__(
        self,
        dimension: Dimension,
        *,
        labels_of: Callable[[Sequence[Any]], list[str]] = list,
        is_for_team: bool = False,
        **declared: Any,
    ) -> None:
        column = COLUMN[dimension]
        super().__init__(column, indexes=IN_ROLLUPS[f"{column}__in"], **declared)
        self.dimension, self.labels_of, self.is_for_team = dimension, labels_of, is_for_team

    @property
    def fields(self) -> dict[str, forms.Field]:
        return {}

    def filter(self, query: CallQuery, value: tuple[Any, ...]) -> CallQuery:
        if not value:
            return query
        return replace(query, usage=query.usage.only(self.dimension, value))

    def words(self, query: CallQuery) -> str:
        values = query.usage.values_of(self.dimension)
        return in_short(self.labels_of(values)) if values else ""


class ExactField(forms.CharField):
    """A text whose leading and trailing blanks count, because calls store texts exactly as they were sent.
    Blanks alone are no value.
    """

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        return text if text.strip() else ""


class TextFilter(CallFilter):
    """Filters by a text that people type."""

    field_class = forms.CharField

    def __init__(self, field_name: str, *, max_length: int, **declared: Any) -> None:
        super().__init__(field_name, max_length=max_length, widget=PlainInput, **declared)

    def words(self, query: CallQuery) -> str:
        text: str = super().words(query)
        return in_short([text]) if text and self.choices else text

    def parameters(self) -> list[Parameter]:
        schema = {"type": "string", "maxLength": self.extra["max_length"]}
        return [Parameter(self.name, self.about, schema)]


class ExactFilter(TextFilter):
    """Filters by a text that must be equal, including blanks."""

    field_class = ExactField

    def __init__(self, field_name: str, **declared: Any) -> None:
        super().__init__(field_name, strip=False, **declared)


class AddressField(forms.CharField):
    """Accepts an IP address and returns it in the canonical spelling in which calls store it."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        known = known_address(text) if text else ""
        if known is None:
            raise ValidationError(_("Enter an IP address such as 10.1.2.3 or 2001:db8::1."))
        return known


class AddressFilter(TextFilter):
    """Filters by the IP address of the caller."""

    field_class = AddressField


_YES_NO = {"yes": True, "no": False}


class YesNoFilter(CallFilter):
    """Filters by whether something is true: `yes`, `no`, or empty for both."""

    field_class = forms.TypedChoiceField

    def __init__(self, field_name: str, **declared: Any) -> None:
        super().__init__(field_name, **declared)
        options = [("", gettext_lazy("Any")), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]
        self.extra |= {"choices": options, "coerce": _YES_NO.get, "empty_value": None, "widget": PlainSelect}

    def words(self, query: CallQuery) -> str:
        value = query.value(self.lookup)
        return "" if value is None else _("yes") if value else _("no")

    def parameters(self) -> list[Parameter]:
        return [Parameter(self.name, self.about, {"type": "string", "enum": list(_YES_NO)})]


class DollarsField(forms.DecimalField):
    """Accepts an amount in US dollars and returns it in nano-dollars."""

    def clean(self, value: Any) -> int | None:
        dollars: Decimal | None = super().clean(value)
        return None if dollars is None else to_nanos(dollars)


class RangeFilter(CallFilter):
    """Filters by a range of whole numbers, both ends included, with the query parameters `…_from` and `…_to`.

    `amount` returns a number as people read it. A call whose value is unknown is in no range.
    """

    field_class: Callable[..., forms.Field] = forms.IntegerField
    _number: dict[str, Any] = {"max_value": MOST}
    _schema: dict[str, Any] = {"type": "integer", "minimum": 0}
    _mode = "numeric"

    def __init__(
        self, field_name: str, *, unit: Any, amount: Callable[[int], str | None], **declared: Any
    ) -> None:
        super().__init__(field_name, **declared)
        self.unit, self.amount = unit, amount

    @property
    def names(self) -> tuple[str, str]:
        return f"{self.name}_from", f"{self.name}_to"

    @property
    def fields(self) -> dict[str, forms.Field]:
        labels = (gettext_lazy("At least"), gettext_lazy("At most"))
        return {end: self._end(label) for end, label in zip(self.names, labels, strict=True)}

    def _end(self, label: Any) -> forms.Field:
        widget = PlainInput({"inputmode": self._mode})
        return self.field_class(required=False, min_value=0, label=label, widget=widget, **self._number)

    def value_in(self, data: dict[str, Any]) -> tuple[int | None, int | None]:
        least, most = (data[end] for end in self.names)
        return least, most

    def filter(self, query: CallQuery, value: tuple[int | None, int | None]) -> CallQuery:
        for end, bound in zip(("gte", "lte"), value, strict=True):
            if bound is not None:
                query = query.where(self.condition(f"{self.field_name}__{end}", bound))
        return query

    def words(self, query: CallQuery) -> str:
        bounds = (query.value(f"{self.field_name}__{end}") for end in ("gte", "lte"))
        least, most = ("" if bound is None else self.amount(bound) or "" for bound in bounds)
        if least and most:
            return _("%(least)s to %(most)s") % {"least": least, "most": most}
        if least:
            return _("from %s") % least
        return _("up to %s") % most if most else ""

    def parameters(self) -> list[Parameter]:
        sides = zip(self.names, ("at least", "at most"), strict=True)
        return [Parameter(end, f"{self.about}, {side}", self._schema) for end, side in sides]


class DollarsFilter(RangeFilter):
    """Filters by a range of amounts in US dollars, both ends included."""

    field_class = DollarsField
    _number = {"max_digits": 15, "decimal_places": 9}
    _schema = {"type": "string", "pattern": r"^\d{1,6}(\.\d{1,9})?$", "examples": ["0.01"]}
    _mode = "decimal"
