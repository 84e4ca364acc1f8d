"""What the actor may do, asked again under the lock of the team."""

from django.utils.translation import gettext as _

from teams.access import Access, Permission
from teams.activity import Actor
from teams.errors import ConflictError, NotAllowedError
from teams.models import Membership, Role, Team, User


def require_permission(by: Actor, team: Team, permission: Permission) -> str:
    """The actor's role in the locked team, which includes `permission`; the site acts as an owner would.

    Raises NotAllowedError. The view has checked before; this is for roles that changed meanwhile, and
    for callers without a view.
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
    """Raises NotAllowedError unless site staff (in the admin) or a command acts."""
    if not by.is_site:
        raise NotAllowedError(_("Only site staff can do this."))


def require_superuser(by: Actor) -> None:
    """Raises NotAllowedError unless a superuser (in the admin) or a command acts."""
    require_site(by)
    if by.user is not None and not by.user.is_superuser:
        raise NotAllowedError(_("Only a superuser can do this."))


def require_superuser_for_staff(by: Actor, user: User) -> None:
    """Raises NotAllowedError when site staff who are no superusers act on the account of site staff.

    They could come by the account of somebody with more rights, or shut them out.
    """
    require_site(by)
    if (user.is_staff or user.is_superuser) and by.user is not None and not by.user.is_superuser:
        raise NotAllowedError(_("Only a superuser can do this for site staff."))


def membership_of(team: Team, user: User) -> Membership:
    """The membership, locked by the team's lock. Raises ConflictError when there is none any more."""
    membership = Membership.objects.select_related("user").filter(team=team, user=user).first()
    if membership is None:
        raise ConflictError(_("%(person)s is no longer in this team.") % {"person": user.label})
    return membership


def _role_of(user: User | None, team: Team) -> str | None:
    found = Membership.objects.filter(team=team, user=user, user__is_active=True)
    return found.values_list("role", flat=True).first()
