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

    They meet the filters of this page and those given; see `usage.drill`. The team is that of `access`.
    """
    behind = CallsBehind(team or context["access"].team, context["request"].GET)
    return behind.to(within, **narrower)


@register.simple_tag(takes_context=True)
def calls_of(context: RequestContext, row: Row, **narrower: Any) -> str:
    """The address of the calls of a line of the ranking: `{% calls_of row outcome="failed" as href %}`."""
    asked: dict[str, Any] = {row.by.value: row.key, **narrower}
    return calls_behind(context, **asked)
