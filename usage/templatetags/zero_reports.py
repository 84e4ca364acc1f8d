"""Template tag that shows calls reported at $0 although their tokens have a price."""

from typing import Any

from django import template
from django.utils import timezone

from teams.access import Access, Permission
from teams.models import Mode
from usage.prices.zero_reports import DAYS, zero_reports_of
from usage.rollups.buckets import day_of

register = template.Library()

MOST_SHOWN = 5


@register.inclusion_tag("usage/prices/_zero_reports.html")
def zero_reports(access: Access, mode: str) -> dict[str, Any]:
    """Renders sentences such as “312 calls of claude-haiku-4-5 were reported at $0; by price list $46.80”.

    Only for users with the permission EDIT_TEAM; for others nothing. One SQL query.
    """
    if not access.may(Permission.EDIT_TEAM):
        return {"shown": []}
    number = Mode.TEST if mode == Mode.TEST.word else Mode.LIVE
    today = day_of(timezone.now(), access.team.zone)
    found = zero_reports_of(team_id=access.team.pk, mode=number, today=today)
    return {
        "shown": found[:MOST_SHOWN],
        "more": len(found) - MOST_SHOWN,
        "days": DAYS,
        "slug": access.team.slug,
        "mode": mode,
    }
