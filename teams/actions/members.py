"""Members: added by site staff and commands; invited people come by `invitations`."""

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import Membership, Role, Team, User


@transaction.atomic
def add_member(*, by: Actor, team: Team, user: User, role: str = Role.MEMBER) -> Membership:
    """Makes `user` a member without an invitation. Raises ActionError for a second membership, the
    role owner, a personal space or a deactivated user."""
    team = lock_team(team)
    if team.is_personal:
        raise ActionError(_("A personal space has one member only."))
    if role not in {Role.ADMINISTRATOR, Role.MEMBER}:
        raise ActionError(_("A team has one owner; take administrator or member."), field="role")
    if not user.is_active:
        raise ActionError(_("%(person)s is deactivated.") % {"person": user.label}, field="email")
    if Membership.objects.filter(team=team, user=user).exists():
        raise ActionError(_("%(person)s is in this team already.") % {"person": user.label}, field="email")
    membership = Membership.objects.create(team=team, user=user, role=role)
    record_activity(
        by=by, team=team, kind="member.added", person=user, subject=user.email, after={"role": role}
    )
    return membership
