"""Writes activity rows for what users change on the account pages of django-allauth.

Those pages do not call our actions. They send signals, and the receivers in this module write the activity.
`account_urls` runs each change and its activity row in one transaction. No row contains a secret (password, key
or code).
"""

from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import EditWebAuthnForm
from allauth.socialaccount import signals as social
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.addresses import client_address
from teams.activity import Actor, record_activity
from teams.models import User

LONGEST_NAME = 100  # characters of a passkey's name that a row keeps; django-allauth has no limit


@receiver(account.email_added)
def address_added(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    """Records that a user added an e-mail address, which is not verified yet."""
    address = email_address.email
    _record(request, user, "address_added", address, after={"address": address})


@receiver(account.email_removed)
def address_removed(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    """Records that a user removed an e-mail address."""
    address = email_address.email
    _record(request, user, "address_removed", address, before={"address": address})


@receiver(account.email_changed)
def address_changed(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **more: Any,
) -> None:
    """Records that a user made another e-mail address the primary one."""
    before = {"address": from_email_address.email} if from_email_address else {}
    after = {"address": to_email_address.email}
    _record(request, user, "address_changed", after["address"], before, after)


@receiver(account.email_confirmed)
def address_confirmed(request: HttpRequest, email_address: EmailAddress, **more: Any) -> None:
    """Records that a user verified an e-mail address by the link in an e-mail; they may not be signed in."""
    _record(
        request,
        email_address.user,
        "address_confirmed",
        email_address.email,
        before={"confirmed": False},
        after={"confirmed": True},
    )


@receiver(account.password_set)
def password_set(request: HttpRequest, user: User, **more: Any) -> None:
    """Records that a user without a password set one."""
    _record(request, user, "password_set", user.email)


@receiver(account.password_changed)
def password_changed(request: HttpRequest, user: User, **more: Any) -> None:
    """Records that a user changed their password."""
    _record(request, user, "password_changed", user.email)


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **more: Any) -> None:
    """Records that a user set a new password by a link from an e-mail or from site staff."""
    _record(request, user, "password_reset", user.email)


@receiver(post_save, sender=Authenticator)
def second_factor_added(instance: Authenticator, created: bool, **more: Any) -> None:
    """Records that a user added an authenticator app, a passkey or recovery codes.

    This receives Django's `post_save`, because django-allauth sends some of its own signals only after the
    commit. Second factors that are created without a request are not recorded.
    """
    request = context.request
    if created and request is not None:
        after = {"type": instance.type}
        _record(request, instance.user, "second_factor_added", _name_of(instance), after=after)


@receiver(mfa.authenticator_removed)
def second_factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    """Records that a user removed an authenticator app, a passkey or recovery codes."""
    before = {"type": authenticator.type}
    _record(request, user, "second_factor_removed", _name_of(authenticator), before=before)


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """The form of django-allauth that renames a passkey.

    It also writes the activity, because no signal is sent.
    """

    def save(self) -> Authenticator:
        before = _name_of(self.instance)
        passkey: Authenticator = super().save()
        after = _name_of(passkey)
        if after != before:
            names = {"before": {"name": before}, "after": {"name": after}}
            _record(context.request, passkey.user, "passkey_renamed", after, **names)
        return passkey


@receiver(social.social_account_added)
def account_connected(request: HttpRequest, sociallogin: SocialLogin, **more: Any) -> None:
    """Records that a user connected an account at the OpenID Connect provider, to sign in with it."""
    connected: SocialAccount = sociallogin.account
    after = {"provider": connected.provider}
    _record(request, connected.user, "account_connected", connected.provider, after=after)


@receiver(social.social_account_removed)
def account_disconnected(request: HttpRequest, socialaccount: SocialAccount, **more: Any) -> None:
    """Records that a user disconnected an account at the OpenID Connect provider."""
    before = {"provider": socialaccount.provider}
    _record(request, socialaccount.user, "account_disconnected", socialaccount.provider, before=before)


def _name_of(authenticator: Authenticator) -> str:
    if authenticator.type == Authenticator.Type.WEBAUTHN:
        return str(authenticator.wrap().name)[:LONGEST_NAME]
    is_app = authenticator.type == Authenticator.Type.TOTP
    return _("authenticator app") if is_app else _("recovery codes")


def _record(
    request: HttpRequest,
    user: User,
    kind: str,
    subject: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Writes an activity row of the kind `user.` + `kind`.

    The user is both the actor and the person who was changed.
    """
    record_activity(
        by=Actor(user, client_address(request)),
        team=None,
        kind=f"user.{kind}",
        person=user,
        subject=subject,
        before=before,
        after=after,
    )
