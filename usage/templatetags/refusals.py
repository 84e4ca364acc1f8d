"""Template tags that show recently refused calls, also on pages that are not about usage."""

from typing import Any

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils import timezone

from teams.access import Access, Permission
from teams.models import Mode
from usage.quotas.refusals import NEWS, Refused, named, refusals_in
from usage.rollups.query import Granularity, Range, UsageQuery
from usage.statistics.drill_down import Behind, CallsBehind
from usage.statistics.own import ContextUsage
from usage.statistics.pages import OwnPage

register = template.Library()

MOST_SHOWN = 5


@register.inclusion_tag("usage/statistics/_refusals.html")
def refusals(access: Access, mode: str, refused: list[Refused] | None = None) -> dict[str, Any]:
    """Renders sentences such as “42 calls refused since 14:00, member limit of Dana”.

    Each has links to the hours in the list of refusals, to the calls that used up the quota, and to the quota.
    They are about `refused` or, if that is None, about the last day. One SQL query if nothing was refused.
    """
    team, now = access.team, timezone.now()
    number = Mode.TEST if mode == Mode.TEST.word else Mode.LIVE
    if refused is None:
        lately = UsageQuery(team, number, Range(now - NEWS, now), granularity=Granularity.HOUR)
        refused = refusals_in([lately])
    shown = named(team, refused[:MOST_SHOWN])
    return {
        "slug": team.slug,
        "may_adjust": access.may(Permission.SET_QUOTAS),
        "lines": [
            (one, one.sentence(team, now), one.hours_path(team, number), one.calls_path(team, number, now))
            for one in shown
        ],
        "more": len(refused) - len(shown),
    }


@register.simple_tag(takes_context=True)
def refusals_behind(context: RequestContext) -> str:
    """Returns the link from a page's number of refusals to the list of refusals.

    For several contexts it is the anchor of the table of contexts on the same page.
    """
    way: Behind | None = context.get("behind")
    if isinstance(way, CallsBehind):
        return f"{reverse('usage:refusals', args=[way.team.slug])}?{way.asked.urlencode()}"
    return "#by-context-title"


@register.simple_tag
def refused_in(page: OwnPage, one: ContextUsage) -> int:
    """Returns how many calls of the user were refused in one of their contexts."""
    return sum(refused.refused for refused in page.refused if refused.team_id == one.query.team.pk)


@register.simple_tag
def refusals_of(one: ContextUsage) -> str:
    """Returns the link to the list of the user's refusals in one context; "" if they cannot be listed."""
    return (
        f"{reverse('usage:refusals', args=[one.query.team.slug])}?{one.way.asked.urlencode()}"
        if one.way
        else ""
    )
