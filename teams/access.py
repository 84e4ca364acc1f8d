"""Permissions of roles as a table, and functions that fetch a team and check access to it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from teams.compiled_queries import CompiledQuery
from teams.models import Membership, Role, Team, Transfer, User, team_is_alive


class Permission(Enum):
    """What can be done in a team."""

    SEE_OWN = auto()  # see own usage, calls and tokens; create own tokens; leave
    SEE_TEAM = auto()  # see team statistics, ranking, all calls and activity
    INVITE = auto()
    MANAGE_MEMBERS = auto()  # change roles and remove members; whose: `may_manage`
    SET_QUOTAS = auto()  # set quotas of members and tokens; disable and revoke tokens
    EDIT_TEAM = auto()  # change name, description, time zone, alerts and gateway keys
    OWN_TEAM = auto()  # set the team quota, transfer ownership, delete the team


_MEMBER = frozenset({Permission.SEE_OWN})
_ADMINISTRATOR = _MEMBER | {
    Permission.SEE_TEAM,
    Permission.INVITE,
    Permission.MANAGE_MEMBERS,
    Permission.SET_QUOTAS,
    Permission.EDIT_TEAM,
}
PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.OWNER: _ADMINISTRATOR | {Permission.OWN_TEAM},
    Role.ADMINISTRATOR: _ADMINISTRATOR,
    Role.MEMBER: _MEMBER,
}
# A personal space has nobody to invite or manage, and cannot be transferred or deleted. Its balance is
# set by site staff.
_NOT_PERSONAL = frozenset({Permission.INVITE, Permission.MANAGE_MEMBERS, Permission.OWN_TEAM})


def role_may(role: str, permission: Permission) -> bool:
    """Whether a role includes a permission, in a team that is no personal space."""
    return permission in PERMISSIONS[role]


def roles_with(permission: Permission) -> list[str]:
    """The roles that include a permission, for queries over memberships."""
    return [role for role in PERMISSIONS if role_may(role, permission)]


def lowest_role_with(permission: Permission) -> str:
    """The role with the fewest permissions that includes this one."""
    return min(roles_with(permission), key=lambda role: len(PERMISSIONS[role]))


@dataclass(frozen=True)
class Access:
    """A user's role in a team; `team_for` returns it after checking a permission."""

    team: Team
    user: User
    role: str
    # Whether there is an unanswered offer of the team to this user; it may have expired.
    is_offered: bool = False
    # All memberships of the user, from `memberships_of`, for the team switcher of every page.
    memberships: Sequence[Membership] = field(default=(), compare=False, repr=False)

    def may(self, permission: Permission) -> bool:
        """Whether the role includes `permission` in this team."""
        if self.team.is_personal and permission in _NOT_PERSONAL:
            return False
        return role_may(self.role, permission)

    @property
    def sees_team(self) -> bool:
        """Whether the user sees the usage of all members, or only their own."""
        return self.may(Permission.SEE_TEAM)


def memberships_of(user: User) -> list[Membership]:
    """Returns the memberships of a user: the personal space first, then teams by name."""
    return _memberships().all(user.pk)


@functools.cache
def _memberships() -> CompiledQuery:
    return CompiledQuery(_memberships_of, [-1], [("team", Team)])


def _memberships_of(user_id: int) -> QuerySet[Membership]:
    """The memberships of a user, each with `is_offered`: whether there is an offer of the team to the user."""
    offers = Transfer.objects.unanswered().filter(team=OuterRef("team"), successor=user_id)
    return (
        Membership.objects.filter(team_is_alive(), user=user_id)
        .annotate(is_offered=Exists(offers))
        .order_by("-team__is_personal", "team__name", "team_id")
    )


def access_of(user: User, team: Team) -> Access | None:
    """Returns the access of a user to a team; None for outsiders, inactive users and deleted teams."""
    if team.deleted_at or not user.is_active:
        return None
    role = Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()
    return Access(team, user, role) if role else None


def team_for(user: User, slug: str, permission: Permission) -> Access:
    """Returns the access of a user to the team with this slug, after checking a permission.

    Raises Http404 for an outsider, who must not learn that the team exists, and PermissionDenied (403)
    for a member whose role lacks `permission`.
    """
    found = memberships_of(user) if user.is_active else []
    membership = next((one for one in found if one.team.slug == slug), None)
    if membership is None:
        raise Http404("No such team")
    access = Access(membership.team, user, membership.role, membership.is_offered, found)  # type: ignore[attr-defined]  # the annotation
    if not access.may(permission):
        raise PermissionDenied
    return access


def may_manage(actor_role: str, target_role: str) -> bool:
    """Whether somebody with `actor_role` may remove somebody with `target_role` or change their role.

    Nobody manages the owner; administrators manage members only.
    """
    if target_role == Role.OWNER:
        return False
    return actor_role == Role.OWNER or (actor_role == Role.ADMINISTRATOR and target_role == Role.MEMBER)


def may_change_role(actor_role: str, old: str, new: str) -> bool:
    """Whether a role may be changed from `old` to `new`: member to administrator or back, never owner.

    Administrators may make members administrators, but only the owner may demote an administrator.
    """
    return may_manage(actor_role, old) and new in {Role.ADMINISTRATOR, Role.MEMBER}


def may_stop_token(actor_role: str, holder_role: str | None) -> bool:
    """Whether somebody may disable or revoke the token of another member. Administrators may not for the owner's.

    `holder_role` is None for a former member, whose tokens are revoked anyway.
    """
    if actor_role == Role.ADMINISTRATOR:
        return holder_role != Role.OWNER
    return actor_role == Role.OWNER


def may_limit(actor_role: str, holder_role: str) -> bool:
    """Whether somebody may set the quota of a member, or of a member's token: the owner anybody's,
    administrators not the owner's."""
    if actor_role == Role.ADMINISTRATOR:
        return holder_role != Role.OWNER
    return actor_role == Role.OWNER


def may_limit_token(actor_role: str, holder_role: str | None, *, is_own: bool, is_limited: bool) -> bool:
    """Whether somebody may set the quota of a token. `holder_role` is None for a former member.

    A holder may limit their own token, but not change an existing limit: somebody else may have set it.
    """
    if is_own and not is_limited:
        return True
    return actor_role != Role.MEMBER and (holder_role is None or may_limit(actor_role, holder_role))
