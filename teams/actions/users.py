"""Users: made with their personal space."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from teams.activity import SITE, Actor, record_activity
from teams.errors import ActionError
from teams.models import Membership, Role, Team, User


@transaction.atomic
def create_user(
    *, email: str, password: str | None = None, by: Actor = SITE, verified: bool = False, **fields: Any
) -> User:
    """Makes a user and their personal space. `password` None: no sign-in by password until one is set.

    `verified` spares the confirmation mail; staff and the commands vouch for the address themselves.
    Raises ActionError when the address is taken.
    """
    email = User.objects.normalize_email(email).strip()
    if User.objects.filter(email__iexact=email).exists():
        raise ActionError(_("Somebody has the address %(email)s already.") % {"email": email}, field="email")
    user = User(email=email, **fields)
    user.set_password(password)
    user.full_clean(exclude=["password"])
    user.save()
    create_personal_space(user)
    if verified:
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    record_activity(by=by, team=None, kind="user.created", person=user, subject=email)
    return user


def create_personal_space(user: User) -> Team:
    """The team of one that every user has. Inside the transaction that makes the user."""
    team = Team.objects.create(
        name=_("Personal space"),
        slug=unique_slug(user.email.partition("@")[0]),
        time_zone=settings.TIME_ZONE,
        owner=user,
        is_personal=True,
    )
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    return team


def unique_slug(name: str) -> str:
    """An address for a team that no other has, near its name."""
    base = slugify(name)[:48] or "team"
    slug = base
    while Team.objects.filter(slug=slug).exists():
        slug = f"{base}-{get_random_string(5, 'abcdefghijkmnpqrstuvwxyz23456789')}"
    return slug


@transaction.atomic
def rename_user(*, by: Actor, user: User, name: str) -> None:
    """Changes the name that others see; "" shows the address instead."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    before, name = locked.name, name.strip()
    if name == before:
        return
    locked.name = name
    locked.save(update_fields=["name"])
    record_activity(
        by=by, team=None, kind="user.renamed", person=user, before={"name": before}, after={"name": name}
    )
