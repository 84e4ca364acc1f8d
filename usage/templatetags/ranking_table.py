"""The rows of rankings and of the table of models, with their cells as markup."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config import formatting
from config.markup import joined, markup
from config.templatetags.callboard import NO_DATA, bar
from usage.rollups.figures import Figures
from usage.statistics.columns import Column, Links, cells_of
from usage.statistics.drill_down import linked
from usage.statistics.overview import Ranked
from usage.statistics.rows import Row
from usage.templatetags.drill import behind, calls_behind
from usage.templatetags.quotas import editor_place, menus

register = template.Library()

_NOTHING = mark_safe("")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a ranking, its cells, and what its menu opens."""

    row: Row
    cells: SafeString
    menu: SafeString
    editor: SafeString  # the row below, out of sight until the menu opens it


@register.simple_tag(takes_context=True)
def ranking_rows(
    context: RequestContext, rows: Iterable[Row], heads: Iterable[tuple[Column, str]]
) -> list[TableRow]:
    """The rows of a ranking of members, tokens or models, on a page of a team (`access`)."""
    shown, access, columns = list(rows), context["access"], [column for column, _head in heads]
    if not shown:
        return []
    way, by = behind(context, access.team), shown[0].by
    to_calls, to_failed = way.by_key(by.value), way.by_key(by.value, outcome="failed")
    of_page = menus(context, access, "ranking")
    made = []
    for row in shown:
        key, who = row.key, row.person
        links = Links(to_calls(key), to_failed(key)) if row.figures.calls else Links("", "")
        menu = of_page.button(key, who.label, who.role) if who else _NOTHING
        made.append(TableRow(row, cells_of(columns, row, links), menu, editor_place(key) if who else _NOTHING))
    return made


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model, and what its cells show; figures lead to the calls behind them."""

    name: SafeString
    share: SafeString
    calls: SafeString
    input_tokens: SafeString
    cached_tokens: SafeString
    output_tokens: SafeString
    cost: SafeString
    p95: SafeString
    success: SafeString


@register.simple_tag(takes_context=True)
def model_rows(context: RequestContext, rows: Iterable[Ranked]) -> list[ModelRow]:
    """The rows of the table of models, on pages of a team and the personal one."""
    return [_model_row(context, row) for row in rows]


def _model_row(context: RequestContext, row: Ranked) -> ModelRow:
    one, href = row.figures, calls_behind(context, model=row.key)
    return ModelRow(
        name=markup(_MODEL, href, row.key, row.key),
        share=markup('%s<span class="num">%s</span>', bar(row.share), formatting.percent(row.share)),
        calls=_figure(formatting.plain(one.calls), href),
        input_tokens=_figure(formatting.plain(one.input_tokens), href, "tokens"),
        cached_tokens=_figure(formatting.plain(one.cached_tokens), href, "tokens"),
        output_tokens=_figure(formatting.plain(one.output_tokens), href, "tokens"),
        cost=joined([_figure(formatting.money(one.cost_nanos, 2), href, "cost"), _unpriced(one, href)]),
        p95=_figure(formatting.milliseconds(one.latency.p95), href, "latency"),
        success=_figure(
            formatting.percent(one.success_rate), calls_behind(context, model=row.key, outcome="failed")
        ),
    )


_MODEL = '<a class="truncate mono" href="%s" title="%s">%s</a>'


def _figure(text: str | None, href: str, sort: str = "") -> SafeString:
    return NO_DATA if text is None else linked(text, href, sort)


def _unpriced(one: Figures, href: str) -> SafeString:
    if not one.unpriced:
        return _NOTHING
    return markup(' <a class="badge badge-warn" href="%s">%s</a>', f"{href}&unpriced=yes", _("unpriced"))
