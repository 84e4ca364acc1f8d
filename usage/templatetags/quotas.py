"""Quotas in tables of people: the bar, the menu that opens the editor, the place where it opens."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.template import RequestContext
from django.utils import timezone

from teams.access import Access, Permission, may_change_role, may_limit
from teams.models import Role, Team, User
from usage.drill import CallsBehind
from usage.levels import LevelState
from usage.quotas import member_levels

register = template.Library()


@register.simple_tag
def quotas_of_members(team: Team, mode: str, rows: Iterable[Any]) -> dict[int, LevelState]:
    """The member level of the `user` of each row, by user id: one query for a whole table."""
    return member_levels(team, int(mode == "test"), [row.user.pk for row in rows], timezone.now())


@register.inclusion_tag("usage/_quota_cell.html")
def quota_cell(quotas: dict[int, LevelState], user: User) -> dict[str, Any]:
    """The quota of a member in a table."""
    return {"user_id": user.public_id, "state": quotas.get(user.pk)}


@register.inclusion_tag("usage/_member_menu_items.html", takes_context=True)
def member_menu_items(
    context: RequestContext, access: Access, user_id: str, role: str, back: str
) -> dict[str, Any]:
    """What a member's menu offers first: adjust the quota, change the role, see the calls.

    `user_id` is the public id, `role` "" a former member, `back` the page that the editor leads back to.
    """
    limits = bool(role) and not access.team.is_personal and may_limit(access.role, role)
    other = Role.MEMBER if role == Role.ADMINISTRATOR else Role.ADMINISTRATOR
    return {
        "slug": access.team.slug,
        "user_id": user_id,
        "calls": CallsBehind(access.team, context["request"].GET).to(member=user_id),
        "back": back,
        "may_limit": access.may(Permission.SET_QUOTAS) and limits,
        "may_change_role": bool(role) and may_change_role(access.role, role, other),
    }
