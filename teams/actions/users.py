"""Actions on users: create, rename, verify, deactivate, reactivate, and help those who cannot sign in.

Users are never deleted.
"""

from datetime import datetime
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from teams.actions.checks import require_site, require_superuser_for_staff
from teams.actions.locks import lock_teams, lock_users
from teams.actions.transfers import cancel_offers
from teams.activity import SITE, Actor, record_activity
from teams.errors import ActionError, NotAllowedError
from teams.mails import link
from teams.models import Membership, Role, Team, Token, User
from teams.signals import personal_space_created, user_created


@transaction.atomic
def create_user(
    *, email: str, password: str | None = None, by: Actor = SITE, verified: bool = False, **fields: Any
) -> User:
    """Creates a user with a personal space. If `password` is None, the user cannot sign in with a password yet.

    `verified` marks the e-mail address as verified, so that no verification e-mail is needed. Raises
    ActionError if another account has the address.
    """
    if User.objects.filter(email__iexact=email.strip()).exists():
        message = _("An account with the address %(email)s already exists.") % {"email": email.strip()}
        raise ActionError(message, field="email")
    return User.objects.create_user(email, password, by=by, verified=verified, **fields)


@receiver(user_created)
def set_up_new_user(
    sender: object, *, user: User, by: Actor | None = None, verified: bool = False, **more: Any
) -> None:
    """Receives `user_created`: creates the personal space and writes the activity.

    If `verified` is true, it also marks the e-mail address of the user as verified.
    """
    if verified:
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    set_up_user(by=by or SITE, user=user)


def set_up_user(*, by: Actor, user: User) -> None:
    """Creates the personal space of a user and writes an activity row.

    Call it in the transaction that saves the user.
    """
    create_personal_space(user)
    after = {"superuser": True} if user.is_superuser else {}
    record_activity(by=by, team=None, kind="user.created", person=user, subject=user.email, after=after)


def create_personal_space(user: User) -> Team:
    """Creates and returns the personal space of a user. Call it in the transaction that saves the user."""
    team = Team.objects.create(
        name=_("Personal space"),
        slug=unique_slug(user.email.partition("@")[0]),
        time_zone=settings.TIME_ZONE,
        owner=user,
        is_personal=True,
    )
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    personal_space_created.send(sender=Team, space=team)
    return team


def unique_slug(name: str) -> str:
    """Returns an unused slug for a team, derived from its name."""
    base = slugify(name)[:48] or "team"
    slug = base
    while Team.objects.filter(slug=slug).exists():
        slug = f"{base}-{get_random_string(5, 'abcdefghijkmnpqrstuvwxyz23456789')}"
    return slug


@transaction.atomic
def rename_user(*, by: Actor, user: User, name: str) -> User:
    """Changes the name of a user and returns the user. With the name "" pages show the e-mail address instead.

    Users may do this to themselves, site staff to everybody. Raises NotAllowedError, and ValidationError if the
    name is too long.
    """
    if not by.is_site and by.user != user:
        raise NotAllowedError(_("You can only change your own name."))
    user = lock_users([user.pk])[user.pk]
    before, user.name = user.name, " ".join(name.split())
    if user.name == before:
        return user
    user.full_clean(exclude=["password"])
    user.save(update_fields=["name"])
    after = {"name": user.name}
    record_activity(
        by=by,
        team=None,
        kind="user.renamed",
        person=user,
        subject=user.email,
        before={"name": before},
        after=after,
    )
    return user


@transaction.atomic
def deactivate_user(*, by: Actor, user: User, now: datetime) -> None:
    """Deactivates a user: ends their sessions, disables their tokens and cancels their offers.

    Past usage is kept. Raises NotAllowedError unless site staff act (a superuser, if the user is staff). Raises
    ActionError if the actor is the user, or if the user owns teams, which must be transferred or deleted first.
    """
    require_site(by)
    if by.user == user:
        raise ActionError(_("You cannot deactivate yourself."))
    teams = lock_teams(user.memberships.values_list("team", flat=True))
    user = lock_users([user.pk])[user.pk]
    require_superuser_for_staff(by, user)
    owned = Team.objects.alive().filter(owner=user, is_personal=False).order_by("name")
    if owned:
        names = ", ".join(team.name for team in owned)
        message = _("%(person)s owns %(teams)s. Transfer or delete these teams first.")
        raise ActionError(message % {"person": user.label, "teams": names})
    if not user.is_active:
        return
    user.is_active = False
    user.save(update_fields=["is_active"])
    disabled = Token.objects.unrevoked().filter(user=user, disabled_at=None).update(disabled_at=now)
    for team in teams.values():
        cancel_offers(team, user, now)
    end_sessions(user)
    after = {"tokens_disabled": disabled}
    record_activity(by=by, team=None, kind="user.deactivated", person=user, subject=user.email, after=after)


@transaction.atomic
def reactivate_user(*, by: Actor, user: User) -> None:
    """Reactivates a user. Their tokens stay disabled until somebody enables them.

    Raises NotAllowedError unless site staff act (a superuser, if the user is staff).
    """
    require_site(by)
    user = lock_users([user.pk])[user.pk]
    require_superuser_for_staff(by, user)
    if user.is_active:
        return
    user.is_active = True
    user.save(update_fields=["is_active"])
    record_activity(by=by, team=None, kind="user.reactivated", person=user, subject=user.email)


@transaction.atomic
def confirm_address(*, by: Actor, user: User) -> None:
    """Marks the e-mail address with which a user signs in as verified. Only site staff may do this.

    Raises NotAllowedError, and ActionError if another user has verified this address.
    """
    require_site(by)
    user = lock_users([user.pk])[user.pk]
    require_superuser_for_staff(by, user)
    address = EmailAddress.objects.filter(user=user, email__iexact=user.email).first()
    if address and address.verified:
        return
    if EmailAddress.objects.filter(email__iexact=user.email, verified=True).exists():
        message = _("Somebody else has confirmed the address %(email)s.") % {"email": user.email}
        raise ActionError(message, field="email")
    address = address or EmailAddress(user=user, email=user.email)
    address.verified = True
    address.save()
    address.set_as_primary()
    record_activity(by=by, team=None, kind="user.address_confirmed", person=user, subject=user.email)


@transaction.atomic
def make_password_link(*, by: Actor, user: User) -> str:
    """Returns a URL with which a user can set a new password once, within PASSWORD_RESET_TIMEOUT seconds.

    Only site staff can create it, and only superusers for staff; otherwise staff could take over the account of
    a superuser. Raises NotAllowedError, and ActionError if the user is deactivated.
    """
    require_site(by)
    user = lock_users([user.pk])[user.pk]
    if not user.is_active:
        raise ActionError(_("%(person)s is deactivated.") % {"person": user.label})
    require_superuser_for_staff(by, user)
    record_activity(by=by, team=None, kind="user.password_link", person=user, subject=user.email)
    token = account_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    key = {"uidb36": user_pk_to_url_str(user), "key": token}
    return link(reverse("account_reset_password_from_key", kwargs=key))


@transaction.atomic
def remove_second_factors(*, by: Actor, user: User) -> None:
    """Removes all second factors of a user, for example one who lost their phone, and ends their sessions.

    They can then sign in with their password alone. Only site staff may do this. Raises NotAllowedError, and
    ActionError if the user has no second factor.
    """
    require_site(by)
    user = lock_users([user.pk])[user.pk]
    require_superuser_for_staff(by, user)
    removed, _rows = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise ActionError(_("%(person)s has no second factor.") % {"person": user.label})
    end_sessions(user)
    before = {"second_factors": removed}
    record_activity(
        by=by, team=None, kind="user.second_factors_removed", person=user, subject=user.email, before=before
    )


def end_sessions(user: User) -> None:
    """Ends all sessions of a user."""
    for session in UserSession.objects.filter(user=user):
        session.end()
