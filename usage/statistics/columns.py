"""Declares every column of a ranking once (see `docs/contributing.md`).

The sort parameter, the headings, the cells, the order of rows, CSV and JSON are all made from these
declarations. Cells are made by Python functions instead of templates because that is faster: fifty rows take
6.8 ms instead of 10.0 (medians of one run).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import formatting
from config.markup import markup
from config.templatetags.callboard import NO_DATA, bar, delta, person, quota_bar, role_badge
from teams.models import Role
from usage.prices.money import usd_string
from usage.quotas.markup import quota_of
from usage.rollups.query import Dimension
from usage.rollups.statements import CALLS, FULL, KEYS, Depth
from usage.statistics.api import figures_json
from usage.statistics.drill_down import linked
from usage.statistics.rows import NAMES, Row

_ALL = frozenset(NAMES)


@dataclass(frozen=True)
class Links:
    """The drill-down links of one row: to all its calls, and to those that failed; "" if it has no calls."""

    calls: str
    failed: str


@dataclass(frozen=True)
class Column:
    """One column of a ranking.

    `name` is the value of the parameter `sort` that sorts by it; `title` names it in the title of a ranking
    that is sorted by it. Rows are sorted by `value`; rows where it is None come last in either direction.
    `depth` and `before` say which figures must be read for all rows in order to sort by it, in the period and
    in the previous one. `cell` makes the content of a cell; a column without it is not shown, but can still be
    sorted by. `export` returns its fields for CSV and JSON.
    """

    name: str
    label: Any  # the heading, or a dict of headings by dimension
    title: Any
    value: Callable[[Row], Any]
    cell: Callable[[Row, Links], SafeString] | None = None
    css: str = "num"  # CSS classes of heading and cells: alignment, and the window width from which it is shown
    cell_css: str | None = None  # CSS classes of the cells, if they differ from those of the heading
    depth: Depth = CALLS
    before: Depth = KEYS
    needs_names: bool = False  # whether all rows must have their names before they can be sorted by it
    needs_quotas: bool = False
    begins_ascending: bool = False
    of: frozenset[Dimension] = _ALL  # the dimensions whose rankings have this column
    export: Callable[[Row], dict[str, Any]] = lambda row: {}

    def head(self, by: Dimension) -> str:
        return str(self.label[by] if isinstance(self.label, dict) else self.label)


def heads_of(by: Dimension) -> list[tuple[Column, str]]:
    """Returns the columns that a ranking by this dimension shows, each with its heading."""
    return [(one, one.head(by)) for one in COLUMNS.values() if one.cell and by in one.of]


def cells_of(columns: Iterable[Column], row: Row, links: Links) -> SafeString:
    """Returns the cells of a row as HTML; the name is a heading (`th`), all others are `td`."""
    return SafeString("".join(_cell(column, column.cell(row, links)) for column in columns if column.cell))


def _cell(column: Column, content: SafeString) -> str:
    css = column.css if column.cell_css is None else column.cell_css
    return (
        f'<th scope="row" class="{css}">{content}</th>'
        if column is NAME
        else f'<td class="{css}">{content}</td>'
    )


def exported(row: Row, by: Dimension) -> dict[str, Any]:
    """Returns a row's fields for CSV and JSON, in the order of the columns."""
    fields: dict[str, Any] = {"rank": row.ranked.rank}
    for column in COLUMNS.values():
        if by in column.of:
            fields |= column.export(row)
    return fields


# --- The cells ------------------------------------------------------------------------------------


def _figure(text: str | None, href: str, sort: str = "") -> SafeString:
    return NO_DATA if text is None else linked(text, href, sort)


def _name(row: Row, links: Links) -> SafeString:
    if row.person:
        name = person(row.person)
    elif row.detail:
        name = markup(_WITH_DETAIL, row.name, row.name, row.detail)
    else:
        name = markup('<span class="truncate mono" title="%s">%s</span>', row.name, row.name)
    if row.note is None:
        return name
    sentence = row.note.episode.sentence
    return name + markup(_UNUSUAL, row.note.link, sentence, _("unusual"), sentence)


_WITH_DETAIL = '<span class="truncate" title="%s">%s</span><span class="person-mail truncate">%s</span>'
_UNUSUAL = ' <a class="badge badge-bad" href="%s" title="%s">%s<span class="visually-hidden">: %s</span></a>'


def _role(row: Row, links: Links) -> SafeString:
    """Returns the role badge; its element has an id, so that htmx can replace it after a change of role."""
    return markup('<span id="role-of-%s">%s</span>', row.key, role_badge(row.person.role) if row.person else "")


def _calls(row: Row, links: Links) -> SafeString:
    """Returns the number of calls and, shown on narrow screens only, the cost."""
    calls = _figure(formatting.plain(row.figures.calls), links.calls)
    return calls + markup(
        '<span class="only-narrow">%s</span>', formatting.money(row.figures.cost_nanos, 2) or ""
    )


def _share(row: Row, links: Links) -> SafeString:
    share = row.ranked.share
    return markup(
        '<span class="bar-cell">%s<span class="num">%s</span></span>', bar(share), formatting.percent(share)
    )


def _change(row: Row, links: Links) -> SafeString:
    if row.ranked.change is not None:
        return delta(row.ranked.change)
    if row.ranked.before and row.figures.calls:
        return markup('<span class="faint">%s</span>', _("new"))
    return NO_DATA


def _quota(row: Row, links: Links) -> SafeString:
    if row.person:
        return quota_of(row.key, row.quota)
    return quota_bar(row.quota.used_nanos, row.quota.limit_nanos) if row.quota else SafeString()


# --- What exports have ----------------------------------------------------------------------------


def _exported_name(row: Row) -> dict[str, Any]:
    if row.by is Dimension.MODEL:
        return {"model": row.key}
    if row.by is Dimension.TOKEN:
        return {"token": row.key, "name": row.name, "member": row.detail}
    return {"member": row.person.email if row.person else "", "name": row.person.name if row.person else ""}


def _exported_quota(row: Row) -> dict[str, Any]:
    quota = row.quota
    return {
        "quota_used_usd": usd_string(quota.used_nanos) if quota else None,
        "quota_limit_usd": None
        if quota is None or quota.limit_nanos is None
        else usd_string(quota.limit_nanos),
    }


_PLACES = {role: place for place, role in enumerate((Role.OWNER, Role.ADMINISTRATOR, Role.MEMBER, ""))}

# --- The columns ----------------------------------------------------------------------------------

NAME = Column(
    "name",
    label=NAMES,
    title=gettext_lazy("name"),
    value=lambda row: row.name.casefold(),
    cell=_name,
    css="",
    cell_css="fill",
    needs_names=True,
    begins_ascending=True,
    export=_exported_name,
)
_DECLARED = (
    NAME,
    Column(
        "role",
        label=gettext_lazy("Role"),
        title=gettext_lazy("role"),
        value=lambda row: _PLACES[row.person.role] if row.person else None,
        cell=_role,
        css="col-3",
        needs_names=True,
        begins_ascending=True,
        of=frozenset({Dimension.MEMBER}),
        export=lambda row: {"role": (row.person.role or "former") if row.person else ""},
    ),
    Column(
        "calls",
        label=gettext_lazy("Calls"),
        title=gettext_lazy("calls"),
        value=lambda row: row.figures.calls,
        cell=_calls,
        # All figures as the API writes them; they include tokens, cost, success and latency.
        export=lambda row: figures_json(row.figures),
    ),
    Column(
        "tokens",
        label=gettext_lazy("Tokens"),
        title=gettext_lazy("tokens"),
        value=lambda row: row.figures.tokens,
        cell=lambda row, links: _figure(formatting.compact(row.figures.tokens), links.calls, "tokens"),
        css="num col-3",
        cell_css="num col-3 faint",
        depth=Depth(frozenset({"calls", "input_tokens", "output_tokens"})),
    ),
    Column(
        "cost",
        label=gettext_lazy("Cost"),
        title=gettext_lazy("cost"),
        value=lambda row: row.figures.cost_nanos,
        cell=lambda row, links: _figure(formatting.money(row.figures.cost_nanos, 2), links.calls, "cost"),
        css="num col-2",
        depth=Depth(frozenset({"calls", "cost_nanos"})),
    ),
    Column(
        "share",
        label=gettext_lazy("Share"),
        title=gettext_lazy("share of calls"),
        value=lambda row: row.ranked.share,
        cell=_share,
        css="col-4",
        export=lambda row: {"share": row.ranked.share},
    ),
    Column(
        "change",
        label=gettext_lazy("Change"),
        title=gettext_lazy("change of calls"),
        value=lambda row: row.ranked.change,
        cell=_change,
        css="num col-4",
        before=CALLS,
        export=lambda row: {
            "calls_before": row.ranked.before.calls if row.ranked.before else None,
            "change": row.ranked.change,
        },
    ),
    Column(
        "success",
        label=gettext_lazy("Success"),
        title=gettext_lazy("success rate"),
        value=lambda row: row.figures.success_rate,
        cell=lambda row, links: _figure(formatting.percent(row.figures.success_rate), links.failed),
        css="num col-3",
        depth=Depth(frozenset({"calls", "succeeded"})),
    ),
    Column(
        "p95",
        label=gettext_lazy("p95"),
        title=gettext_lazy("latency, p95"),
        value=lambda row: row.figures.latency.p95,
        cell=lambda row, links: _figure(
            formatting.milliseconds(row.figures.latency.p95), links.calls, "latency"
        ),
        css="num col-4",
        depth=FULL,
    ),
    Column(
        "quota",
        label=gettext_lazy("Quota"),
        title=gettext_lazy("quota used"),
        value=lambda row: row.quota.used_share if row.quota else None,
        cell=_quota,
        css="",
        cell_css="fit",
        needs_names=True,
        needs_quotas=True,
        of=frozenset({Dimension.MEMBER, Dimension.TOKEN}),
        export=_exported_quota,
    ),
    Column(
        "unusual",
        label=gettext_lazy("Unusual"),
        title=gettext_lazy("anomalies"),
        value=lambda row: row.note.episode.importance if row.note else None,
        needs_names=True,
        export=lambda row: {"unusual": row.note.episode.sentence if row.note else None},
    ),
)
COLUMNS = {column.name: column for column in _DECLARED}
DEFAULT = "calls"
