"""What people change on django-allauth's pages of their account, told to the activity.

Its flows are not actions of ours: they send signals, and these receivers write the row. `account_urls` puts
both into one transaction. Secrets (passwords, keys, codes) are in no row.
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

LONGEST_NAME = 100  # of a passkey, in a row: django-allauth takes any


@receiver(account.email_added)
def address_added(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    """Another address, not confirmed yet."""
    address = email_address.email
    _record(request, user, "address_added", address, after={"address": address})


@receiver(account.email_removed)
def address_removed(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
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
    """Another of one's addresses is the one to sign in with and to get mails at."""
    before = {"address": from_email_address.email} if from_email_address else {}
    after = {"address": to_email_address.email}
    _record(request, user, "address_changed", after["address"], before, after)


@receiver(account.email_confirmed)
def address_confirmed(request: HttpRequest, email_address: EmailAddress, **more: Any) -> None:
    """The link in the mail was followed, perhaps by somebody who is not signed in: whoever reads that mail."""
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
    """The first password of somebody who signed in by other means."""
    _record(request, user, "password_set", user.email)


@receiver(account.password_changed)
def password_changed(request: HttpRequest, user: User, **more: Any) -> None:
    _record(request, user, "password_changed", user.email)


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **more: Any) -> None:
    """By the link in a mail, or one that staff passed on."""
    _record(request, user, "password_reset", user.email)


@receiver(post_save, sender=Authenticator)
def second_factor_added(instance: Authenticator, created: bool, **more: Any) -> None:
    """An authenticator app, a passkey, or new recovery codes; those that staff or commands make are not meant.

    Not by allauth's signals, which tell of some only after the commit.
    """
    request = context.request
    if created and request is not None:
        after = {"type": instance.type}
        _record(request, instance.user, "second_factor_added", _name_of(instance), after=after)


@receiver(mfa.authenticator_removed)
def second_factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    before = {"type": authenticator.type}
    _record(request, user, "second_factor_removed", _name_of(authenticator), before=before)


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """As django-allauth's, which sends no signal."""

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
    """The account at the OpenID Connect provider, which opens this one from now on."""
    connected: SocialAccount = sociallogin.account
    after = {"provider": connected.provider}
    _record(request, connected.user, "account_connected", connected.provider, after=after)


@receiver(social.social_account_removed)
def account_disconnected(request: HttpRequest, socialaccount: SocialAccount, **more: Any) -> None:
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
    """These pages are for oneself alone: who acts and whose account it is are the same."""
    record_activity(
        by=Actor(user, client_address(request)),
        team=None,
        kind=f"user.{kind}",
        person=user,
        subject=subject,
        before=before,
        after=after,
    )
