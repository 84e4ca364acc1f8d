"""The lines of a ranking, their cells as markup: made here, where a template of tags would take five times as long."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config import formatting
from config.markup import joined, markup
from config.templatetags.callboard import NO_DATA, bar, delta, person, quota_bar, role_badge
from usage.rollups.figures import Figures
from usage.statistics.overview import Ranked
from usage.statistics.ranking import Row
from usage.templatetags.drill import behind, calls_behind, linked
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
        cost = formatting.money(one.cost_nanos, 2)
        href, failed = (self.to_calls(key), self.to_failed(key)) if one.calls else ("", "")
        return Line(
            row,
            name=_name(row),
            note=_note(row),
            role=role_badge(row.person.role) if row.person else _NOTHING,
            calls=_figure(formatting.plain(one.calls), href),
            tokens=_figure(formatting.compact(one.tokens), href, "tokens"),
            cost=_figure(cost, href, "cost"),
            cost_alone=cost or "",
            share=_share(row.ranked),
            change=_change(row),
            success=_figure(formatting.percent(one.success_rate), failed),
            p95=_figure(formatting.milliseconds(one.latency.p95), href, "latency"),
            quota=_quota(row),
            menu=self.menus.button(key, row.person.label, row.person.role) if row.person else _NOTHING,
            editor=editor_place(key) if row.person else _NOTHING,
        )


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model, and what its cells show; figures lead to the calls behind them."""

    name: SafeString
    share: SafeString
    calls: SafeString
    taken_in: SafeString
    cached: SafeString
    given_out: SafeString
    cost: SafeString
    p95: SafeString
    success: SafeString


@register.simple_tag(takes_context=True)
def lines_of_models(context: RequestContext, rows: Iterable[Ranked]) -> list[ModelLine]:
    """The lines of the table of models, on pages of a team and the personal one."""
    return [_model_line(context, row) for row in rows]


def _model_line(context: RequestContext, row: Ranked) -> ModelLine:
    one, href = row.figures, calls_behind(context, model=row.key)
    return ModelLine(
        name=markup(_MODEL, href, row.key, row.key),
        share=_share(row),
        calls=_figure(formatting.plain(one.calls), href),
        taken_in=_figure(formatting.plain(one.input_tokens), href, "tokens"),
        cached=_figure(formatting.plain(one.cached_tokens), href, "tokens"),
        given_out=_figure(formatting.plain(one.output_tokens), href, "tokens"),
        cost=joined([_figure(formatting.money(one.cost_nanos, 2), href, "cost"), _unpriced(one, href)]),
        p95=_figure(formatting.milliseconds(one.latency.p95), href, "latency"),
        success=_figure(
            formatting.percent(one.success_rate), calls_behind(context, model=row.key, outcome="failed")
        ),
    )


_MODEL = '<a class="truncate mono" href="%s" title="%s">%s</a>'


def _unpriced(one: Figures, href: str) -> SafeString:
    if not one.unpriced:
        return _NOTHING
    return markup(' <a class="badge badge-warn" href="%s">%s</a>', f"{href}&unpriced=yes", _("unpriced"))


def _share(row: Ranked) -> SafeString:
    return markup('%s<span class="num">%s</span>', bar(row.share), formatting.percent(row.share))


def _figure(text: str | None, href: str, sort: str = "") -> SafeString:
    return NO_DATA if text is None else linked(text, href, sort)


def _name(row: Row) -> SafeString:
    if row.person:
        return person(row.person)
    if row.detail:
        return markup(_WITH_DETAIL, row.name, row.name, row.detail)
    return markup('<span class="truncate mono" title="%s">%s</span>', row.name, row.name)


_WITH_DETAIL = '<span class="truncate" title="%s">%s</span><span class="person-mail truncate">%s</span>'


def _note(row: Row) -> SafeString:
    """That something about it was unusual, and what."""
    if row.note is None:
        return _NOTHING
    said = row.note.episode.sentence
    return markup(_UNUSUAL, row.note.link, said, _("unusual"), said)


_UNUSUAL = ' <a class="badge badge-bad" href="%s" title="%s">%s<span class="visually-hidden">: %s</span></a>'


def _change(row: Row) -> SafeString:
    if row.ranked.change is not None:
        return delta(row.ranked.change)
    if row.ranked.before and row.figures.calls:
        return markup('<span class="faint">%s</span>', _("new"))
    return NO_DATA


def _quota(row: Row) -> SafeString:
    if row.person:
        return quota_of(row.key, row.quota)
    return quota_bar(row.quota.used_nanos, row.quota.limit_nanos) if row.quota else _NOTHING
