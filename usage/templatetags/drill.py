"""Links from the numbers of a page to the calls behind them."""

from typing import Any

from django import template
from django.template import RequestContext

from teams.models import Team
from usage.drill import CallsBehind
from usage.query import Range
from usage.ranking import Row

register = template.Library()


@register.simple_tag(takes_context=True)
def calls_behind(
    context: RequestContext, within: Range | None = None, team: Team | None = None, **narrower: Any
) -> str:
    """The address of the calls behind a number: `{% calls_behind member=row.key outcome="failed" as href %}`.

    They meet the filters of this page and those given; see `usage.drill`. The team is that of `access`; on a page
    about several there are no logs of all of them, and "" is the answer.
    """
    access = context.get("access")
    team = team or (access.team if access else None)
    return behind(context, team).to(within, **narrower) if team else ""


def behind(context: RequestContext, team: Team) -> CallsBehind:
    """What writes the addresses of a page, kept with its request: every row asks for some."""
    kept: dict[int, CallsBehind] = vars(context["request"]).setdefault("calls_behind", {})
    if team.pk not in kept:
        kept[team.pk] = CallsBehind(team, context["request"].GET)
    return kept[team.pk]


@register.simple_tag(takes_context=True)
def calls_of(context: RequestContext, row: Row, **narrower: Any) -> str:
    """The address of the calls of a line of the ranking: `{% calls_of row outcome="failed" as href %}`."""
    asked: dict[str, Any] = {row.by.value: row.key, **narrower}
    return calls_behind(context, **asked)
