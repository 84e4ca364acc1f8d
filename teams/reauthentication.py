"""Whether somebody has just shown again who they are, and the ways to do so, for what is grave.

A password is typed into the form itself. Whoever has none, or prefers a passkey, confirms on a page of
django-allauth first, which is good for some minutes.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from teams.view_helpers import signed_in_user

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_LABELS: dict[str, "StrOrPromise"] = {
    "mfa_reauthenticate:webauthn": _("Confirm with your passkey"),
    "mfa_reauthenticate": _("Confirm with your authenticator app"),
}


@dataclass(frozen=True)
class ReauthenticationMethod:
    """One page on which to confirm."""

    label: "StrOrPromise"
    url: str


def is_reauthenticated(request: HttpRequest) -> bool:
    """Whether the user has confirmed within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds.

    To sign in is not to confirm: a stolen laptop may be signed in. Only who has nothing but the account at
    the site's OpenID Connect provider confirms by signing in there again.
    """
    user = signed_in_user(request)
    records = get_authentication_records(request, user)
    if get_adapter(request).get_reauthentication_methods(user):
        records = [record for record in records if record.get("reauthenticated")]
    if not records:
        return False
    return bool(time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def other_methods(request: HttpRequest) -> list[ReauthenticationMethod]:
    """The pages that confirm without a password; none for somebody who has only that."""
    methods = get_adapter(request).get_reauthentication_methods(signed_in_user(request))
    return [
        ReauthenticationMethod(_LABELS[method["id"]], method["url"])
        for method in methods
        if method["id"] in _LABELS
    ]
