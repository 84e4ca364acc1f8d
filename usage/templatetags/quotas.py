"""Quotas in tables of people and tokens: the bar, the menu that opens the editor, the place where it opens."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import template
from django.template import RequestContext
from django.utils import timezone

from teams.access import Access, Permission, may_change_role, may_limit, may_limit_token
from teams.keyring import KeyRow
from teams.models import Mode, Role, Team, Token, User
from usage.levels import LevelState
from usage.people import last_call_days
from usage.quota_forms import NewTokenLimitForm
from usage.quotas import member_levels, token_levels
from usage.templatetags.drill import behind

register = template.Library()


@register.simple_tag
def quotas_of_members(team: Team, mode: str, rows: Iterable[Any]) -> dict[int, LevelState]:
    """The member level of the `user` of each row, by user id: one query for a whole table."""
    return member_levels(team, int(mode == "test"), [row.user.pk for row in rows], timezone.now())


@register.simple_tag
def last_calls_of_members(team: Team, mode: str, rows: Iterable[Any]) -> dict[int, date]:
    """The day of the last call of the `user` of each row, by user id."""
    return last_call_days(team, int(mode == "test"), [row.user.pk for row in rows])


@register.inclusion_tag("usage/_last_call.html")
def last_call(days: dict[int, date], user: User) -> dict[str, Any]:
    """The day of somebody's last call, or that there was none."""
    return {"day": days.get(user.pk)}


@register.inclusion_tag("usage/_quota_cell.html")
def quota_cell(quotas: dict[int, LevelState], user: User) -> dict[str, Any]:
    """The quota of a member in a table."""
    return {"subject_id": user.public_id, "state": quotas.get(user.pk)}


@register.simple_tag
def quotas_of_tokens(team: Team, rows: Iterable[KeyRow]) -> dict[int, LevelState]:
    """The token level of the token of each row, by its id, each in its own mode: two queries at most."""
    now = timezone.now()
    found: dict[int, LevelState] = {}
    for mode in Mode:
        found |= token_levels(team, mode, [row.key.pk for row in rows if row.key.mode == mode], now)
    return found


@register.inclusion_tag("usage/_quota_cell.html")
def token_quota_cell(quotas: dict[int, LevelState], token: Token) -> dict[str, Any]:
    """The quota of a token in a table."""
    return {"subject_id": token.public_id, "state": quotas.get(token.pk)}


@register.inclusion_tag("usage/_token_menu_items.html")
def token_menu_items(access: Access, row: KeyRow, quotas: dict[int, LevelState]) -> dict[str, Any]:
    """What a token's menu offers of its quota: to adjust it, for those who may."""
    is_limited = quotas[row.key.pk].limit_nanos is not None
    return {
        "slug": access.team.slug,
        "token_id": row.key.public_id,
        "may_limit": may_limit_token(access.role, row.holder_role, is_own=row.is_own, is_limited=is_limited),
        "is_limited": is_limited,
    }


@register.inclusion_tag("usage/_new_token_limit.html")
def new_token_limit(limit_form: NewTokenLimitForm | str) -> dict[str, Any]:
    """The fields of the limit of a new token: as they were filled in, or ("" from a template) empty."""
    return {"limit_form": limit_form or NewTokenLimitForm()}


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
        "calls": behind(context, access.team).to(member=user_id),
        "back": back,
        "may_limit": access.may(Permission.SET_QUOTAS) and limits,
        "may_change_role": bool(role) and may_change_role(access.role, role, other),
    }
