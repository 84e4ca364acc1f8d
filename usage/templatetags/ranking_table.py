"""Template tag that renders the rows of a ranking as markup (see `usage.statistics.columns`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString, mark_safe

from usage.statistics.columns import Column, Links, cells_of
from usage.statistics.rows import Row
from usage.templatetags.drill import behind
from usage.templatetags.quotas import editor_place, menus

register = template.Library()

_NOTHING = mark_safe("")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a ranking with its markup: the cells, the menu, and the row below for the editor."""

    row: Row
    cells: SafeString
    menu: SafeString
    editor: SafeString  # the row below, hidden until the menu loads the editor into it


@register.simple_tag(takes_context=True)
def ranking_rows(
    context: RequestContext, rows: Iterable[Row], heads: Iterable[tuple[Column, str]]
) -> list[TableRow]:
    """Returns the rows of a ranking of members, tokens or models with their markup, for the page of a team.

    The template context must contain `access`.
    """
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
