"""The filters of the logs as chips: what is set, in words, and the way without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.forms import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import formatting
from logs.browsing.names import tokens_by_id
from logs.search.filters import CallFilter
from logs.search.query import CallQuery
from teams.models import User
from usage.rollups.models import Outcome

# Filters whose values are chosen from what occurs; see logs.search.choices.
CHOOSABLE = {
    "member": gettext_lazy("Member"),
    "model": gettext_lazy("Model"),
    "token": gettext_lazy("Token"),
    "outcome": gettext_lazy("Outcome"),
    "status": gettext_lazy("Status"),
    "provider": gettext_lazy("Provider"),
    "endpoint": gettext_lazy("Endpoint"),
    "channel": gettext_lazy("Channel"),
    "error_type": gettext_lazy("Error type"),
    "tag": gettext_lazy("Tag"),
}
# Filters by a range, with the unit of their two fields.
RANGES = {
    "latency": (gettext_lazy("Latency"), gettext_lazy("milliseconds")),
    "ttft": (gettext_lazy("First token"), gettext_lazy("milliseconds")),
    "tokens": (gettext_lazy("Tokens used"), gettext_lazy("tokens")),
    "cost": (gettext_lazy("Cost"), gettext_lazy("dollars")),
}
TEXTS = ("error", "request", "session", "ip")
YES_NO = ("stream", "unpriced")
# Chips that stand there also when nothing is set.
_ALWAYS = {"member", "model", "token", "outcome", "latency"}


@dataclass(frozen=True)
class Chip:
    """A filter: its label, its value in words ("" is not set), the query without it.

    `fields` are what it is set by, none where values are chosen from a list; `kept` are the parameters that
    a form with these fields takes along.
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
    """The chips of a page, and the filters behind "More"."""

    shown: list[Chip]
    more: list[Chip]
    kept: tuple[tuple[str, str], ...]


def chips_of(form: CallFilter, query: CallQuery, asked: QueryDict) -> Chips:
    """The filters that are set and those one mostly wants to set; and the others."""
    values = _values(query)
    found = [_chip(name, form, values.get(name, ""), asked) for name in (*CHOOSABLE, *RANGES, *TEXTS, *YES_NO)]
    if not form.sees_team:  # to members their own calls are the only ones
        found = [chip for chip in found if chip.name != "member"]
    shown = [chip for chip in found if chip.value or chip.name in _ALWAYS]
    more = [chip for chip in found if chip not in shown]
    return Chips(shown, more, _kept(asked, *(bound.name for chip in more for bound in chip.fields)))


def _chip(name: str, form: CallFilter, value: str, asked: QueryDict) -> Chip:
    if name in CHOOSABLE:
        return Chip(name, str(CHOOSABLE[name]), value, _without(asked, name))
    if name in RANGES:
        label, unit = RANGES[name]
        ends = (f"{name}_from", f"{name}_to")
        fields = tuple(form[end] for end in ends)
        return Chip(name, str(label), value, _without(asked, *ends), str(unit), fields, _kept(asked, *ends))
    return Chip(
        name, str(form[name].label), value, _without(asked, name), "", (form[name],), _kept(asked, name)
    )


def _kept(asked: QueryDict, *names: str) -> tuple[tuple[str, str], ...]:
    gone = {*names, "cursor", "q"}
    return tuple((name, value) for name, values in asked.lists() if name not in gone for value in values)


def _without(asked: QueryDict, *names: str) -> str:
    """The query of the first page without some parameters."""
    return "?" + urlencode(_kept(asked, *names))


def _values(query: CallQuery) -> dict[str, str]:
    """What is set, in words."""
    usage = query.usage
    names: dict[str, list[Any]] = {
        "member": [user.label for user in User.objects.filter(pk__in=usage.members)] if usage.members else [],
        "token": _token_names(usage.tokens),
        "model": list(usage.models),
        "outcome": [Outcome(outcome).label for outcome in query.outcome],
        "tag": [query.tag] if query.tag else [],
    }
    names |= {
        name: list(getattr(query, name)) for name in ("status", "provider", "endpoint", "channel", "error_type")
    }
    words = {name: _some(found) for name, found in names.items() if found}
    words |= {name: _range(query, name) for name in RANGES}
    words |= {name: getattr(query, name) for name in TEXTS}
    words |= {
        name: _("yes") if flag else _("no") for name in YES_NO if (flag := getattr(query, name)) is not None
    }
    return words


def _token_names(tokens: Sequence[int]) -> list[Any]:
    names: list[Any] = [token.name for token in tokens_by_id(tokens).values()] if tokens else []
    return [*names, _("none")] if 0 in tokens else names


def _some(names: list[Any]) -> str:
    """The first and how many more."""
    first = str(names[0]) or "–"
    return first + (f" + {len(names) - 1}" if len(names) > 1 else "")


def _range(query: CallQuery, name: str) -> str:
    least, most = (_amount(name, getattr(query, f"{name}_{end}")) for end in ("from", "to"))
    if least and most:
        return _("%(least)s to %(most)s") % {"least": least, "most": most}
    if least:
        return _("from %s") % least
    return _("up to %s") % most if most else ""


def _amount(name: str, value: int | None) -> str:
    if value is None:
        return ""
    if name == "cost":
        return formatting.exact_money(value) or ""
    text = formatting.milliseconds(value) if name in {"latency", "ttft"} else formatting.plain(value)
    return text or ""
