"""Sets and removes the limits of tokens, members, teams and balances. They apply from the next reservation on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import Permission, may_limit, may_limit_token
from teams.actions.checks import membership_of, require_permission, require_site
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Membership, Team, Token, User
from usage.prices.money import AmountError, amount_nanos, usd_string
from usage.quotas.models import Level, Period, Quota


@dataclass(frozen=True)
class Limit:
    """A limit in US dollars for a period. Where a parameter `limit` is None, it means no limit."""

    usd: Decimal
    period: Period = Period.MONTH


@transaction.atomic
def set_member_quota(
    *, by: Actor, team: Team, user: User, limit: Limit | None, now: datetime, note: str = ""
) -> Quota | None:
    """Sets or removes the limit of what a member may spend in a team. Returns the quota, None without a limit.

    Raises NotAllowedError (an administrator cannot limit the owner), ConflictError if the user has left the
    team, and ActionError for an invalid amount or in a personal space.
    """
    return _set_of_member(by, lock_team(team), user, limit, now, note)


@transaction.atomic
def set_member_quotas(
    *, by: Actor, team: Team, limits: Sequence[tuple[User, Limit | None]], now: datetime, note: str = ""
) -> None:
    """Sets the limits of several members: all of them or, if one is refused, none.

    Raises the same errors as `set_member_quota`.
    """
    team = lock_team(team)
    for user, limit in limits:
        _set_of_member(by, team, user, limit, now, note)


def _set_of_member(
    by: Actor, team: Team, user: User, limit: Limit | None, now: datetime, note: str
) -> Quota | None:
    actor_role = require_permission(by, team, Permission.SET_QUOTAS)
    if team.is_personal:
        raise ActionError(_("A personal space has only one member. Set the quotas of its tokens instead."))
    membership = membership_of(team, user)
    if not may_limit(actor_role, membership.role):
        raise NotAllowedError(_("Only the owner can set the owner's quota."), field="limit")
    change = _Change(by, team, Level.MEMBER, limit, now, note, person=user, subject=user.email)
    return _apply(change, {"membership": membership})


@transaction.atomic
def set_token_quota(
    *, by: Actor, token: Token, limit: Limit | None, now: datetime, note: str = ""
) -> Quota | None:
    """Sets or removes the limit of what a token may spend. Its holder may set a first limit, but not change it.

    Raises NotAllowedError (an administrator cannot limit the owner's tokens), ConflictError for a revoked
    token, and ActionError for an invalid amount.
    """
    team = lock_team(token.team)
    fresh = Token.objects.select_related("user").get(pk=token.pk)
    _check_may_limit_token(by, team, fresh)
    if fresh.revoked_at:
        raise ConflictError(_("“%(name)s” was revoked. Create a new token.") % {"name": fresh.name})
    change = _Change(by, team, Level.TOKEN, limit, now, note, person=fresh.user, subject=fresh.name)
    return _apply(change, {"token": fresh})


def _check_may_limit_token(by: Actor, team: Team, token: Token) -> None:
    is_limited = Quota.objects.filter(token=token).exists()
    is_own = by.user == token.user
    actor_role = require_permission(
        by, team, Permission.SEE_OWN if is_own and not is_limited else Permission.SET_QUOTAS
    )
    holder_role = Membership.objects.filter(team=team, user=token.user).values_list("role", flat=True).first()
    if not may_limit_token(actor_role, holder_role, is_own=is_own, is_limited=is_limited):
        raise NotAllowedError(_("Only the owner can set the quota of the owner's tokens."), field="limit")


@transaction.atomic
def set_team_quota(
    *, by: Actor, team: Team, limit: Limit | None, now: datetime, note: str = ""
) -> Quota | None:
    """Sets or removes the limit of what a whole team may spend. Only its owner may do so.

    Raises NotAllowedError (also for a personal space, whose limit is its owner's balance), and ActionError for
    an invalid amount.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.OWN_TEAM)
    return _apply(_Change(by, team, Level.TEAM, limit, now, note, subject=team.name), {})


@transaction.atomic
def set_balance(*, by: Actor, space: Team, limit: Limit | None, now: datetime, note: str = "") -> Quota | None:
    """Sets or removes the limit of an owner's balance, which pays for their personal space and all their teams.

    Only site staff may do so. Raises NotAllowedError, and ActionError for a team that is not a personal space
    or for an invalid amount.
    """
    require_site(by)
    space = lock_team(space)
    if not space.is_personal:
        raise ActionError(_("Only a personal space has a balance. A team uses its owner's balance."))
    owner = space.owner
    change = _Change(by, space, Level.OWNER, limit, now, note, person=owner, subject=owner.email)
    return _apply(change, {})


@dataclass(frozen=True)
class _Change:
    """A change of a limit that is allowed, with what the activity log records about it."""

    by: Actor
    team: Team
    level: Level
    limit: Limit | None
    now: datetime
    note: str
    person: User | None = None
    subject: str = ""


def _apply(change: _Change, target: dict[str, Any]) -> Quota | None:
    """Writes the limit of `target` (a membership, a token, or {} for the team) unless it is the same already."""
    key = {"team": change.team, "membership": None, "token": None, **target}
    current = Quota.objects.filter(**key).first()
    before, after = _told(current), _wanted(change.limit)
    if before == after:
        return current
    changed = None
    if change.limit is None:
        Quota.objects.filter(**key).delete()
    else:
        values = {
            "limit_nanos": amount_nanos(change.limit.usd),
            "period": change.limit.period,
            "changed_at": change.now,
            "changed_by": change.by.user,
        }
        changed, _created = Quota.objects.update_or_create(values, **key)
    note = {"note": change.note.strip()[:500]} if change.note.strip() else {}
    record_activity(
        by=change.by,
        team=change.team,
        kind="quota.changed",
        person=change.person,
        subject=change.subject,
        before=before,
        after={"level": change.level.name.lower(), **after, **note},
    )
    return changed


def _told(quota: Quota | None) -> dict[str, Any]:
    """Returns a limit in the form in which the activity log stores it."""
    if quota is None:
        return {"limit_usd": None, "period": None}
    return {"limit_usd": usd_string(quota.limit_nanos), "period": quota.period}


def _wanted(limit: Limit | None) -> dict[str, Any]:
    """Returns the new limit in the form in which the activity log stores it. Raises ActionError for an invalid
    amount.
    """
    if limit is None:
        return {"limit_usd": None, "period": None}
    try:
        return {"limit_usd": usd_string(amount_nanos(limit.usd)), "period": limit.period.value}
    except AmountError as error:
        raise ActionError(str(error), field="limit") from error
