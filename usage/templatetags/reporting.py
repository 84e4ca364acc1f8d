"""Template tags that show what keys reported, in the tables of keys and in the Django admin."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone

from teams.models import GatewayKey, Token
from teams.pages.tokens import KeyRow
from usage.reporting.figures import Counts, KeySummary, key_report, summaries
from usage.reporting.models import KeyKind

register = template.Library()


@register.simple_tag
def reports_of_keys(rows: Iterable[KeyRow]) -> dict[str, KeySummary]:
    """Returns what the key of each row reported in the last 24 hours, by public id of the key.

    The rows must be those of one table: all tokens, or all gateway keys.
    """
    keys = [row.key for row in rows]
    kind = KeyKind.TOKEN if any(isinstance(key, Token) for key in keys) else KeyKind.GATEWAY_KEY
    found = summaries(kind, [key.pk for key in keys], timezone.now()) if keys else {}
    return {key.public_id: found.get(key.pk, KeySummary(Counts())) for key in keys}


@register.simple_tag
def report_cell(reports: dict[str, KeySummary], key: Token | GatewayKey, href: str) -> str:
    """Renders a table cell: the key's records of the last 24 hours, and the newest reason for a rejection."""
    context = {"summary": reports[key.public_id], "key": key, "href": href}
    return render_to_string("usage/reporting/_cell.html", context)


@register.inclusion_tag("usage/reporting/_admin.html")
def key_report_of(key: GatewayKey) -> dict[str, Any]:
    """Renders, for the Django admin, what a gateway key of the whole site reported.

    Nothing is shown for the gateway key of a team: its owner and administrators have their own page.
    """
    now = timezone.now()
    return {"report": None if key.team_id else key_report(key, now), "clock": timezone.get_current_timezone()}
