"""Checks of the actor's rights. Actions call them after they have locked the team."""

from django.utils.translation import gettext as _

from teams.access import Access, Permission
from teams.activity import Actor
from teams.errors import ConflictError, NotAllowedError
from teams.models import Membership, Role, Team, User


def require_permission(by: Actor, team: Team, permission: Permission) -> str:
    """Checks that the actor's role in the team includes `permission`, and returns the role.

    Raises NotAllowedError if it does not. The caller has locked the team. Commands and site staff have the
    rights of an owner. Views check permissions too; this check is for roles that have changed since, and for
    callers without a view.
    """
    role = Role.OWNER if by.is_site else _role_of(by.user, team)
    if role is None:
        raise NotAllowedError(_("You are not in this team."))
    user = by.user or team.owner
    if not Access(team, user, role).may(permission):
        if team.is_personal:
            raise NotAllowedError(
                _("A personal space belongs to one person. It cannot have other members or another owner.")
            )
        raise NotAllowedError(_("Your role in this team does not allow this."))
    return role


def require_site(by: Actor) -> None:
    """Raises NotAllowedError unless the actor is a command or site staff in the Django admin."""
    if not by.is_site:
        raise NotAllowedError(_("Only site staff can do this."))


def require_superuser(by: Actor) -> None:
    """Raises NotAllowedError unless the actor is a command or a superuser in the Django admin."""
    require_site(by)
    if by.user is not None and not by.user.is_superuser:
        raise NotAllowedError(_("Only a superuser can do this."))


def require_superuser_for_staff(by: Actor, user: User) -> None:
    """Raises NotAllowedError if the actor may not change the account of `user`.

    Commands and superusers may change every account, other site staff only accounts that are not of staff.
    Otherwise staff could take over the account of somebody with more rights, or lock them out.
    """
    require_site(by)
    if (user.is_staff or user.is_superuser) and by.user is not None and not by.user.is_superuser:
        raise NotAllowedError(_("Only a superuser can do this for site staff."))


def membership_of(team: Team, user: User) -> Membership:
    """Returns the membership of a user in the team, which the caller has locked.

    Raises ConflictError if the user is no longer a member.
    """
    membership = Membership.objects.select_related("user").filter(team=team, user=user).first()
    if membership is None:
        raise ConflictError(_("%(person)s is no longer in this team.") % {"person": user.label})
    return membership


def _role_of(user: User | None, team: Team) -> str | None:
    found = Membership.objects.filter(team=team, user=user, user__is_active=True)
    return found.values_list("role", flat=True).first()
