"""Defines which permissions each role has in a team, and finds and checks a user's access to a team."""

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
    """A right in a team, such as inviting people. `PERMISSIONS` lists the rights of each role."""

    SEE_OWN = auto()  # see own usage, calls and tokens; create own tokens; leave
    SEE_TEAM = auto()  # see team statistics, ranking, all calls and activity
    INVITE = auto()
    MANAGE_MEMBERS = auto()  # change roles and remove members; for which members, see `may_manage`
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
# Permissions that nobody has in a personal space, because it has no other members and cannot be transferred or
# deleted. Its balance is set by site staff.
_NOT_PERSONAL = frozenset({Permission.INVITE, Permission.MANAGE_MEMBERS, Permission.OWN_TEAM})


def role_may(role: str, permission: Permission) -> bool:
    """Whether a role includes a permission in an ordinary team, that is, not in a personal space."""
    return permission in PERMISSIONS[role]


def roles_with(permission: Permission) -> list[str]:
    """Returns the roles that include a permission, as values for a query over memberships."""
    return [role for role in PERMISSIONS if role_may(role, permission)]


def lowest_role_with(permission: Permission) -> str:
    """Returns the role with the fewest permissions among those that include `permission`."""
    return min(roles_with(permission), key=lambda role: len(PERMISSIONS[role]))


@dataclass(frozen=True)
class Access:
    """A user's role in one team. `team_for` returns it after checking that the role includes a permission."""

    team: Team
    user: User
    role: str
    # Whether there is an unanswered offer of the team's ownership to this user; it may have expired.
    is_offered: bool = False
    # All memberships of the user, from `memberships_of`, for the team switcher of every page.
    memberships: Sequence[Membership] = field(default=(), compare=False, repr=False)

    def may(self, permission: Permission) -> bool:
        """Whether the role includes `permission` in this team.

        Some permissions are never given in a personal space.
        """
        if self.team.is_personal and permission in _NOT_PERSONAL:
            return False
        return role_may(self.role, permission)

    @property
    def sees_team(self) -> bool:
        """Whether the user may see the usage of all members; otherwise they see only their own."""
        return self.may(Permission.SEE_TEAM)


def memberships_of(user: User) -> list[Membership]:
    """Returns the memberships of a user in teams that are not deleted.

    The personal space comes first, then teams by name.
    """
    return _memberships().all(user.pk)


@functools.cache
def _memberships() -> CompiledQuery:
    return CompiledQuery(_memberships_of, [-1], [("team", Team)])


def _memberships_of(user_id: int) -> QuerySet[Membership]:
    """Returns the query for a user's memberships in teams that are not deleted, annotated with `is_offered`.

    `is_offered` is true if the ownership of the team has been offered to this user and the offer is unanswered.
    """
    offers = Transfer.objects.unanswered().filter(team=OuterRef("team"), successor=user_id)
    return (
        Membership.objects.filter(team_is_alive(), user=user_id)
        .annotate(is_offered=Exists(offers))
        .order_by("-team__is_personal", "team__name", "team_id")
    )


def access_of(user: User, team: Team) -> Access | None:
    """Returns the access of a user to a team.

    Returns None if the user is not a member or is deactivated, or if the team is deleted.
    """
    if team.deleted_at or not user.is_active:
        return None
    role = Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()
    return Access(team, user, role) if role else None


def team_for(user: User, slug: str, permission: Permission) -> Access:
    """Returns the access of a user to a team, after checking that their role includes `permission`.

    Raises Http404 if the user is not a member, because they must not learn that the team exists, and
    PermissionDenied (403) for a member whose role lacks `permission`.
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
    """Whether a user with the role `actor_role` may remove or change the role of one with `target_role`.

    The owner may do this to everybody else, administrators only to those with the role member. Nobody may do it
    to the owner.
    """
    if target_role == Role.OWNER:
        return False
    return actor_role == Role.OWNER or (actor_role == Role.ADMINISTRATOR and target_role == Role.MEMBER)


def may_change_role(actor_role: str, old: str, new: str) -> bool:
    """Whether a user with the role `actor_role` may change the role of a member from `old` to `new`.

    Both roles must be member or administrator; only a transfer makes somebody the owner. Administrators may
    make members administrators, but only the owner may make an administrator a member.
    """
    return may_manage(actor_role, old) and new in {Role.ADMINISTRATOR, Role.MEMBER}


def may_stop_token(actor_role: str, holder_role: str | None) -> bool:
    """Whether a user with the role `actor_role` may disable, enable or revoke a token of another member.

    The owner may do this to every token, administrators to every token but the owner's, members to none.
    `holder_role` is the role of the token's holder; it is None if the holder has left the team.
    """
    if actor_role == Role.ADMINISTRATOR:
        return holder_role != Role.OWNER
    return actor_role == Role.OWNER


def may_limit(actor_role: str, holder_role: str) -> bool:
    """Whether a user with the role `actor_role` may set the quota of a member or of that member's token.

    The owner may set every quota, administrators every quota but the owner's, members none. `holder_role` is
    the role of the member whose quota it is.
    """
    if actor_role == Role.ADMINISTRATOR:
        return holder_role != Role.OWNER
    return actor_role == Role.OWNER


def may_limit_token(actor_role: str, holder_role: str | None, *, is_own: bool, is_limited: bool) -> bool:
    """Whether a user with the role `actor_role` may set the quota of a token.

    `is_own` says whether it is the user's own token, `is_limited` whether the token already has a quota.
    Everybody may set a first quota for their own token, but a member may not change one, because somebody else
    may have set it. `holder_role` is the role of the token's holder; it is None if the holder has left the
    team.
    """
    if is_own and not is_limited:
        return True
    return actor_role != Role.MEMBER and (holder_role is None or may_limit(actor_role, holder_role))
