"""The lines of a ranking, their cells as markup: made here, where a template of tags would take five times as long."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django import template
from django.template import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config import figures
from config.templatetags.callboard import NO_DATA, bar, delta, person, quota_bar, role_badge
from usage.ranking import Row
from usage.templatetags.drill import behind, linked
from usage.templatetags.quotas import Menus, editor_place, menus, quota_of

register = template.Library()

_NOTHING = mark_safe("")


@dataclass(frozen=True, slots=True)
class Line:
    """A row, and what its cells show; figures lead to the calls behind them."""

    row: Row
    name: SafeString
    note: SafeString
    role: SafeString
    calls: SafeString
    tokens: SafeString
    cost: SafeString
    cost_alone: str  # beside the calls on a phone
    share: SafeString
    change: SafeString
    success: SafeString
    p95: SafeString
    quota: SafeString
    menu: SafeString
    editor: SafeString  # the row below, out of sight until the menu opens it


@register.simple_tag(takes_context=True)
def lines_of(context: RequestContext, rows: Iterable[Row]) -> list[Line]:
    """The lines of rows that all are members, tokens or models, on a page of a team (`access`)."""
    shown, access = list(rows), context["access"]
    if not shown:
        return []
    way, by = behind(context, access.team), shown[0].by
    to_calls, to_failed = way.by_key(by.value), way.by_key(by.value, outcome="failed")
    lines = _Lines(to_calls, to_failed, menus(context, access, "ranking"))
    return [lines.line(row) for row in shown]


@dataclass(frozen=True)
class _Lines:
    """What the lines of a table share."""

    to_calls: Callable[[str], str]
    to_failed: Callable[[str], str]
    menus: Menus

    def line(self, row: Row) -> Line:
        one, key = row.figures, row.key
        cost = figures.money(one.cost_nanos, 2)
        href, failed = (self.to_calls(key), self.to_failed(key)) if one.calls else ("", "")
        return Line(
            row,
            name=_name(row),
            note=_note(row),
            role=role_badge(row.person.role) if row.person else _NOTHING,
            calls=_figure(figures.plain(one.calls), href),
            tokens=_figure(figures.compact(one.tokens), href, "tokens"),
            cost=_figure(cost, href, "cost"),
            cost_alone=cost or "",
            share=format_html(
                '{}<span class="num">{}</span>', bar(row.ranked.share), figures.percent(row.ranked.share)
            ),
            change=_change(row),
            success=_figure(figures.percent(one.success_rate), failed),
            p95=_figure(figures.milliseconds(one.latency.p95), href, "latency"),
            quota=_quota(row),
            menu=self.menus.button(key, row.person.label, row.person.role) if row.person else _NOTHING,
            editor=editor_place(key) if row.person else _NOTHING,
        )


def _figure(text: str | None, href: str, sort: str = "") -> SafeString:
    return NO_DATA if text is None else linked(text, href, sort)


def _name(row: Row) -> SafeString:
    if row.person:
        return person(row.person)
    if row.detail:
        return format_html(_WITH_DETAIL, row.name, row.name, row.detail)
    return format_html('<span class="truncate mono" title="{}">{}</span>', row.name, row.name)


_WITH_DETAIL = '<span class="truncate" title="{}">{}</span><span class="person-mail truncate">{}</span>'


def _note(row: Row) -> SafeString:
    """That something about it was unusual, and what."""
    if row.note is None:
        return _NOTHING
    said = row.note.episode.sentence
    return format_html(_UNUSUAL, row.note.link, said, _("unusual"), said)


_UNUSUAL = ' <a class="badge badge-bad" href="{}" title="{}">{}<span class="visually-hidden">: {}</span></a>'


def _change(row: Row) -> SafeString:
    if row.ranked.change is not None:
        return delta(row.ranked.change)
    if row.ranked.before and row.figures.calls:
        return format_html('<span class="faint">{}</span>', _("new"))
    return NO_DATA


def _quota(row: Row) -> SafeString:
    if row.person:
        return quota_of(row.key, row.quota)
    return quota_bar(row.quota.used_nanos, row.quota.limit_nanos) if row.quota else _NOTHING
