"""Template tags for links from the numbers of a page to the calls behind them."""

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
    """The address of the calls behind a number: `{% calls_behind member=row.key outcome="failed" as href %}`.

    They meet the filters of this page and those given; see `usage.statistics.drill_down`. "" where no calls
    can be there, or where it is known that there are 0.
    """
    if calls == 0:
        return ""
    way: Behind | None = context.get("behind")
    if way is None and (access := context.get("access")):
        way = behind(context, access.team)
    return way.to(within, **narrower) if way else ""


@register.simple_tag
def calls_in(one: ContextUsage, **narrower: Any) -> str:
    """A link to one's own calls in one of several contexts; "" if there are none."""
    return one.way.to(**narrower) if one.way and one.figures.calls else ""


def behind(context: RequestContext, team: Team) -> CallsBehind:
    """The link builder of a page, cached on its request: every row needs some."""
    kept: dict[int, CallsBehind] = vars(context["request"]).setdefault("calls_behind", {})
    if team.pk not in kept:
        kept[team.pk] = CallsBehind(team, context["request"].GET)
    return kept[team.pk]


register.simple_tag(linked)
