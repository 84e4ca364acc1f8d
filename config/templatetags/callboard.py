"""Template filters and tags that all templates can use, mostly HTML of what `config.formatting` formats.

The HTML of table rows is built here, because a template for each row would take ten times as long.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField, CheckboxInput
from django.template import RequestContext
from django.utils.dateformat import format as format_date
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import is_naive
from django.utils.translation import get_language, gettext_lazy, gettext_noop
from django.utils.translation import gettext as _

from config import formatting
from config.formatting import Number
from config.markup import joined, markup, script_data

register = template.Library()

register.filter(script_data)

NO_DATA = mark_safe('<span class="faint">–</span>')

# --- Figures ------------------------------------------------------------------------------------


def _or_no_data(text: str | None) -> str:
    return NO_DATA if text is None else text


@register.filter
def num(value: Number | None, decimals: int = 0) -> str:
    """Returns a number with thousands separators: `1,234`, or `1,234.5` for `{{ x|num:1 }}`."""
    return _or_no_data(formatting.plain(value, decimals))


@register.filter
def compact(value: int | None) -> str:
    """Returns a large number with a unit: `62.4 M`."""
    return _or_no_data(formatting.compact(value))


@register.filter
def money(nanos: int | None, form: int | str | None = None) -> str:
    """Returns nano-dollars as dollars: `$1.23`.

    `money:"exact"` shows all decimals, `money:6` six of them, which aligns a column of small amounts.
    """
    if form == "exact":
        return _or_no_data(formatting.exact_money(nanos))
    return _or_no_data(formatting.money(nanos, None if form is None else int(form)))


@register.filter
def percent(ratio: Number | None, decimals: int = 1) -> str:
    """Returns a ratio as a percentage: 0.987 is `98.7%`."""
    return _or_no_data(formatting.percent(ratio, decimals))


@register.filter
def milliseconds(value: Number | None) -> str:
    """Returns milliseconds as text with a unit: `1,612 ms`, `24.1 s`."""
    return _or_no_data(formatting.milliseconds(value))


@register.filter
def small_unit(text: str) -> SafeString:
    """Returns a formatted number with its unit in small type: the unit of `62.4 M`, `98.78%` or `1,612 ms`."""
    if isinstance(text, SafeString):
        return text
    number = text.rstrip("KMBT%msin" + formatting.GAP)
    if number == text:
        return markup("%s", text)
    return markup("%s<small>%s</small>", number, text[len(number) :].strip())


@register.simple_tag
def delta(change: Number | None, good: str = "", unit: str = "%", decimals: int = 1) -> SafeString:
    """Returns an arrow and the size of a change, which is given as a ratio.

    0.238 is shown as `23.8%`, or as 23.8 points with the unit "pt". `good` is the better direction, "up"
    (success rate) or "down" (latency), and sets the colour; "" if neither is better.
    """
    if change is None:
        return NO_DATA
    value = round(Decimal(str(change)) * 100, decimals)
    direction = "flat" if not value else "up" if value > 0 else "down"
    word = _(_DIRECTIONS[direction])
    tone = "" if direction == "flat" or not good else " delta-good" if direction == good else " delta-bad"
    arrow = icon("flat" if direction == "flat" else f"{direction}-right")
    amount = formatting.plain(abs(value), decimals if value else 0)
    text = f"{amount}{formatting.GAP if unit != '%' else ''}{unit}"
    return markup(
        '<span class="delta%s">%s<span class="visually-hidden">%s </span>%s</span>', tone, arrow, word, text
    )


_DIRECTIONS = {
    "flat": gettext_noop("unchanged"),
    "up": gettext_noop("up"),
    "down": gettext_noop("down"),
}


@register.simple_tag
def bar(value: Number | None, maximum: Number | None = 1) -> SafeString:
    """Returns a bar that is filled to the share `value` / `maximum`.

    It is hidden from screen readers, because the text next to it has the same value.
    """
    share = min(100.0, max(0.0, 100 * float(value) / float(maximum))) if value and maximum else 0.0
    return markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-track" width="100" height="6"/>'
        '<rect class="bar-fill" width="%s" height="6"/></svg>',
        f"{share:.1f}",
    )


@register.simple_tag
def heat_cells(slots: Iterable[Any]) -> SafeString:
    """Returns the cells of one row of a heat map.

    A slot has the colour `shade`, the tooltip `label`, and `amount` for screen readers. A loop in the template
    over the 168 hours of a week would take a sixth of the page's time.
    """
    return joined(markup(_HEAT, slot.shade, slot.label, slot.amount) for slot in slots)


_HEAT = '<td class="heat-%s" title="%s"><span class="visually-hidden">%s</span></td>'


@register.simple_tag
def quota_bar(used: int, limit: int | None) -> SafeString:
    """Returns how much of a quota is used, as text and as a bar. `used` and `limit` are nano-dollars.

    The bar is amber from 90 % on, and red if the quota is used up. If `limit` is None, there is only text.
    """
    if limit is None:
        words = '<span><b>%s</b></span><span class="faint">%s</span>'
        return markup(_QUOTA, "", markup(words, formatting.money(used), _("no limit")), "")
    ratio = Decimal(used) / limit if limit else Decimal(1)
    state = " quota-full" if used >= limit else " quota-near" if ratio >= Decimal("0.9") else ""
    shown = (formatting.money(used), formatting.money(limit), formatting.percent(ratio, 0))
    text = markup("<span><b>%s</b> / %s</span><span>%s</span>", *shown)
    return markup(_QUOTA, state, text, bar(used, limit))


_QUOTA = '<span class="quota%s"><span class="quota-text">%s</span>%s</span>'


# --- Times --------------------------------------------------------------------------------------

# For each style, the format of the day for Django's date filter, and of the time of day for strftime.
TIME_FORMATS = {
    "short": ("D j M", ", %H:%M"),
    "day": ("D j M", ""),
    "date": ("j M Y", ""),
    "clock": ("", "%H:%M:%S"),
    "long": ("D j M Y", ", %H:%M"),
    "row": ("D j M", ", %H:%M:%S"),
    "exact": ("D j M Y", ", %H:%M:%S.%f"),
}


@lru_cache(maxsize=1_000)  # a list has many calls of the same few days
def _day_text(day: date, form: str, language: str) -> str:
    return format_date(day, form) if form else ""


@register.simple_tag
def local(at: datetime | None, zone: tzinfo | str, style: str = "short") -> SafeString:
    """Returns a time in a time zone: `{% local call.started_at team.zone "clock" %}`.

    `style` is a key of TIME_FORMATS. Raises ValueError for a time without a time zone.
    """
    if at is None:
        return NO_DATA
    if is_naive(at):
        raise ValueError(f"{at} has no time zone")
    there = at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    day, time = TIME_FORMATS[style]
    text = _day_text(there.date(), day, get_language() or "") + there.strftime(time)
    if style == "exact":
        text = text[:-3]  # milliseconds
    return markup('<time datetime="%s">%s</time>', there.isoformat(), text)


@register.filter
def ago(at: datetime | None, now: datetime) -> str:
    """Returns how long before `now` a time is: `5 min ago`."""
    return _or_no_data(None if at is None else formatting.ago(now - at))


# --- People, roles, states ----------------------------------------------------------------------


@register.filter
def initials(name: str) -> str:
    """Returns two letters for the avatar of a person."""
    return formatting.initials(name)


@register.simple_tag
def person(who: Any, note: str = "") -> SafeString:
    """Returns the avatar, name and e-mail address of a user. `note` replaces the address."""
    avatar = formatting.initials(who.name or who.email)
    if not who.name:
        return markup(_PERSON, avatar, who.email, who.email, "person-mail", "", note or _("No name yet"))
    title = markup(' title="%s"', who.email)
    return markup(_PERSON, avatar, who.name, who.name, "person-mail truncate", title, note or who.email)


_PERSON = (
    '<span class="person"><span class="avatar" aria-hidden="true">%s</span>'
    '<span><span class="person-name truncate" title="%s">%s</span><span class="%s"%s>%s</span></span></span>'
)


ROLE_NAMES = {
    "owner": gettext_lazy("Owner"),
    "administrator": gettext_lazy("Administrator"),
    "member": gettext_lazy("Member"),
    "": gettext_lazy("Former member"),
}


@register.simple_tag
def role_badge(role: str) -> SafeString:
    """Returns the badge of a role. If the role is "", it is the badge of a former member."""
    return markup(
        '<span class="badge badge-%s">%s</span>', role or "mute", ROLE_NAMES.get(role, ROLE_NAMES[""])
    )


# The CSS class and shape for each outcome: succeeded, client error, throttled, server error. Shapes differ as
# well as colours: circle, triangle, triangle, square.
_CIRCLE = mark_safe('<circle cx="4" cy="4" r="4"/>')
_TRIANGLE = mark_safe('<path d="M4 .5 8 7.5H0z"/>')
_SQUARE = mark_safe('<rect width="8" height="8" rx="1.5"/>')
OUTCOME_MARKS = [
    ("", _CIRCLE),
    (" status-warn", _TRIANGLE),
    (" status-warn", _TRIANGLE),
    (" status-bad", _SQUARE),
]


@register.simple_tag
def status_dot(outcome: int, text: Any) -> SafeString:
    """Returns the symbol of a call's outcome (0 to 3), followed by a text such as the HTTP status."""
    tone, shape = OUTCOME_MARKS[outcome]
    return markup(
        '<span class="status%s"><svg class="status-dot" viewBox="0 0 8 8" aria-hidden="true">%s</svg>%s</span>',
        tone,
        shape,
        text,
    )


@register.simple_tag
@cache  # a page has hundreds of icons, but only two dozen different ones
def icon(name: str) -> SafeString:
    """Returns the icon with this name in `_icons.html`."""
    return markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-%s"/></svg>', name)


# --- Addresses and filters ----------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def query_with(context: RequestContext, **changes: Any) -> str:
    """Returns the query string of this page with some parameters changed, for links that keep the others.

    None or "" removes a parameter, and a list sets several values: `<a href="{% query_with sort="cost"
    cursor=None %}">`.
    """
    kept = ((name, values) for name, values in context["request"].GET.lists() if name not in changes)
    changed = (
        (name, value if isinstance(value, list | tuple) else [value])
        for name, value in changes.items()
        if value is not None and value != ""
    )
    return f"?{urlencode([*kept, *changed], doseq=True)}"


@register.simple_tag(takes_context=True)
def query_at_page(context: RequestContext, number: int, name: str = "") -> str:
    """Returns the query string of this page with another page number.

    `name` is its parameter, by default `page`.
    """
    return query_with(context, **{name or "page": number})


@register.simple_tag(takes_context=True)
def query_without(context: RequestContext, name: str, value: Any = None) -> str:
    """Returns the query string of this page without one value of a parameter.

    If `value` is None, it is without all values of the parameter.
    """
    kept = (
        [] if value is None else [item for item in context["request"].GET.getlist(name) if item != str(value)]
    )
    return query_with(context, **{name: kept})


@register.simple_tag(takes_context=True)
def hidden_query(context: RequestContext, *names: str) -> SafeString:
    """Returns hidden fields with the parameters of this page, except `names`, which the form itself sets."""
    kept = [pair for pair in context["request"].GET.lists() if pair[0] not in names]
    return joined(markup(_HIDDEN, name, value) for name, values in kept for value in values)


_HIDDEN = '<input type="hidden" name="%s" value="%s">'


@register.inclusion_tag("components/chip.html")
def chip(label: str, opens: str, value: str = "", remove: str = "") -> dict[str, Any]:
    """Returns the context of a filter chip: a button that opens a popover, and the value of the filter.

    `opens` is the id of the popover, and `remove` the URL that removes the filter.
    """
    return {"label": label, "opens": opens, "value": value, "remove": remove}


@register.inclusion_tag("components/copy.html")
def copy_button(text: str, what: str) -> dict[str, Any]:
    """Returns the context of a button that copies a short text such as an id.

    `what` names it for screen readers.
    """
    return {"text": text, "what": what}


# --- Forms --------------------------------------------------------------------------------------


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str = "", hint: str = "", classes: str = "") -> dict[str, Any]:
    """Returns the context of a form field with label, control, error and hint, connected for screen readers."""
    is_choice = isinstance(bound.field.widget, CheckboxInput)
    css = [] if is_choice else ["input", *classes.split()]
    return {
        "bound": bound,
        "label": label or bound.label,
        "hint": hint or bound.help_text,
        "is_choice": is_choice,
        "control": bound.as_widget(attrs=_control_attrs(bound, css, hint)),
    }


@register.simple_tag
def control(bound: BoundField) -> SafeString:
    """Returns only the control of a form field, for pages that place label and hint themselves."""
    return bound.as_widget(attrs=_control_attrs(bound, ["input"], ""))


def _control_attrs(bound: BoundField, css: Sequence[str], hint: str) -> dict[str, str | bool]:
    attrs: dict[str, str | bool] = {"class": " ".join(css)} if css else {}
    # Django connects its own help text and errors with the control, but not a hint from the template.
    if hint and not bound.help_text:
        parts = [f"{bound.auto_id}_helptext", *([f"{bound.auto_id}_error"] if bound.errors else [])]
        attrs["aria-describedby"] = " ".join(parts)
    return attrs
