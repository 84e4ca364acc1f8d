"""Shows the filters of the logs as chips: each has its value in words, and a link that removes the filter."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.forms import BoundField
from django.http import QueryDict

from logs.search.filter_types import CallFilter
from logs.search.filters import CallFilterSet
from logs.search.forms import CallForm


@dataclass(frozen=True)
class Chip:
    """A filter as the page shows it: its label, its value in words ("" if not set), and the query string
    without it.

    `fields` are its form fields, none if values are chosen from a list. `kept` are the page's other query
    parameters, which the form of these fields sends along.
    """

    name: str
    label: str
    value: str = ""
    remove: str = ""
    unit: str = ""
    fields: tuple[BoundField, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Chips:
    """The chips that the page shows, and the filters behind its button "More"."""

    shown: list[Chip]
    more: list[Chip]
    kept: tuple[tuple[str, str], ...]


def chips_of(filters: CallFilterSet, asked: QueryDict) -> Chips:
    """Returns the chips of a page: filters that are set or always shown as chips, the others behind "More"."""
    form, query = filters.form, filters.qs
    found = [(one, _chip(one, form, one.words(query), asked)) for one in filters.shown]
    shown = [chip for one, chip in found if chip.value or one.is_always_shown]
    more = [chip for _one, chip in found if chip not in shown]
    return Chips(shown, more, _kept(asked, *(bound.name for chip in more for bound in chip.fields)))


def _chip(one: CallFilter, form: CallForm, value: str, asked: QueryDict) -> Chip:
    names = one.names
    chip = Chip(one.name, str(one.label), value, _without(asked, *names), str(one.unit))
    if one.choices is not None:
        return chip
    return replace(chip, fields=tuple(form[name] for name in names), kept=_kept(asked, *names))


def _kept(asked: QueryDict, *names: str) -> tuple[tuple[str, str], ...]:
    gone = {*names, "cursor", "q"}
    return tuple((name, value) for name, values in asked.lists() if name not in gone for value in values)


def _without(asked: QueryDict, *names: str) -> str:
    """Returns the query string without some parameters, for the first page of the list."""
    return "?" + urlencode(_kept(asked, *names))
