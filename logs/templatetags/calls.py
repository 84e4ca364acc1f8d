"""Calls on pages, also of other apps, which may not import `logs`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse

from logs.unions import newest
from teams.models import Membership, Mode, User

register = template.Library()
_ANY = UUID(int=0)
_MOST = 8
_SHOWN = ("team_id", "id", "started_at", "outcome", "status", "model", "latency_ms", "cost_nanos")


@register.inclusion_tag("logs/_latest.html")
def latest_calls(user: User, memberships: Sequence[Membership], mode: str, clock: str) -> dict[str, Any]:
    """One's own latest calls in all contexts together, newest first, all on one clock."""
    in_mode = Mode.TEST if mode == "test" else Mode.LIVE
    teams = {one.team_id: one.team for one in memberships}
    calls = newest([*teams], user.pk, in_mode, _SHOWN, limit=_MOST)
    return {"rows": [(call, teams[call["team_id"]]) for call in calls], "mode": mode, "clock": clock}


@register.simple_tag
def detail_path(slug: str, call_id: UUID) -> str:
    """The address of a call; a list has fifty, and to resolve each would take a tenth of its time."""
    return _detail_path(slug).replace(str(_ANY), str(call_id))


@lru_cache(maxsize=1_000)
def _detail_path(slug: str) -> str:
    return reverse("logs:detail", args=[slug, _ANY])
