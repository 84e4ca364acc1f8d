"""Template tags for drill-down links: from the numbers of a page to the list of their calls."""

from typing import Any

from django import template
from django.template import RequestContext

from teams.models import Team
from usage.rollups.query import Range
from usage.statistics.drill_down import Behind, CallsBehind, linked
from usage.statistics.own import ContextUsage

register = template.Library()


@register.simple_tag(takes_context=True)
def calls_behind(
    context: RequestContext, within: Range | None = None, calls: int | None = None, **narrower: Any
) -> str:
    """Returns the drill-down link of a number: `{% calls_behind member=row.key outcome="failed" as href %}`.

    The calls meet the filters of the page and those given as arguments; see `usage.statistics.drill_down`. ""
    if the number `calls` is 0, or if there can be no such calls.
    """
    if calls == 0:
        return ""
    way: Behind | None = context.get("behind")
    if way is None and (access := context.get("access")):
        way = behind(context, access.team)
    return way.to(within, **narrower) if way else ""


@register.simple_tag
def calls_in(one: ContextUsage, **narrower: Any) -> str:
    """Returns the drill-down link to the user's own calls in one context; "" if there are none."""
    return one.way.to(**narrower) if one.way and one.figures.calls else ""


def behind(context: RequestContext, team: Team) -> CallsBehind:
    """Returns the builder of drill-down links for a team's page.

    It is cached on the request, because every row needs it.
    """
    kept: dict[int, CallsBehind] = vars(context["request"]).setdefault("calls_behind", {})
    if team.pk not in kept:
        kept[team.pk] = CallsBehind(team, context["request"].GET)
    return kept[team.pk]


register.simple_tag(linked)
