"""What quotas refused lately, on pages that are not about usage."""

from typing import Any

from django import template
from django.utils import timezone

from teams.access import Access, Permission
from teams.models import Mode
from usage.query import Granularity, Range, UsageQuery
from usage.refusals import NEWS, Refused, named, refusals_in

register = template.Library()

MOST_SHOWN = 5


@register.inclusion_tag("usage/_refusals.html")
def refusals(access: Access, mode: str, refused: list[Refused] | None = None) -> dict[str, Any]:
    """Sentences such as “42 calls refused since 14:00, member limit of Dana”, each with links to what used the
    quota up and to the quota: those of the last day, or those given. One query when there are none."""
    team, now = access.team, timezone.now()
    number = Mode.TEST if mode == Mode.TEST.word else Mode.LIVE
    if refused is None:
        lately = UsageQuery(team, number, Range(now - NEWS, now), granularity=Granularity.HOUR)
        refused = refusals_in([lately])
    shown = named(team, refused[:MOST_SHOWN])
    return {
        "slug": team.slug,
        "may_adjust": access.may(Permission.SET_QUOTAS),
        "lines": [(one, one.sentence(team, now), one.calls_path(team, number, now)) for one in shown],
        "more": len(refused) - len(shown),
    }
