"""Actions with which superusers give and remove the rights of support staff."""

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.checks import require_superuser
from teams.actions.locks import lock_users
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import User
from teams.support_group import GROUP, support_group


@transaction.atomic
def make_staff(*, by: Actor, user: User) -> None:
    """Makes a user support staff: they can view the Django admin and run actions, except on other staff.

    Raises NotAllowedError unless a superuser or a command acts, and ActionError if the user is deactivated or a
    superuser.
    """
    user = _locked(by, user)
    if not user.is_active:
        raise ActionError(_("%(person)s is deactivated.") % {"person": user.label})
    before = _rights(user)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    user.groups.add(support_group())
    _record(by, user, "user.made_staff", before)


@transaction.atomic
def end_staff(*, by: Actor, user: User) -> None:
    """Removes all rights of a user in the Django admin. The account stays.

    Raises NotAllowedError unless a superuser or a command acts, and ActionError if the user is a superuser.
    """
    user = _locked(by, user)
    before = _rights(user)
    user.is_staff = False
    user.save(update_fields=["is_staff"])
    user.groups.clear()
    user.user_permissions.clear()
    _record(by, user, "user.staff_ended", before)


def _locked(by: Actor, user: User) -> User:
    require_superuser(by)
    user = lock_users([user.pk])[user.pk]
    if user.is_superuser:
        message = _("%(person)s is a superuser. The rights of superusers can only be changed on the server.")
        raise ActionError(message % {"person": user.label})
    return user


def _rights(user: User) -> dict[str, bool]:
    return {"site_staff": user.is_staff, "support": user.groups.filter(name=GROUP).exists()}


def _record(by: Actor, user: User, kind: str, before: dict[str, bool]) -> None:
    after = _rights(user)
    if after != before:
        record_activity(
            by=by, team=None, kind=kind, person=user, subject=user.email, before=before, after=after
        )
