"""Reauthentication before critical changes: finds out whether the user did it recently, and how they can do it.

Users with a password enter it in the form of the change. Users without one, or with a passkey or an
authenticator app, can instead reauthenticate on a page of django-allauth first. That counts for a few minutes.
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
    """A page of django-allauth on which the user can reauthenticate, and the label of the link to it."""

    label: "StrOrPromise"
    url: str


def is_reauthenticated(request: HttpRequest) -> bool:
    """Whether the user has reauthenticated within the last ACCOUNT_REAUTHENTICATION_TIMEOUT seconds.

    Signing in is not enough, because whoever stole a laptop may be signed in. Only for users who can
    reauthenticate in no other way, because they have nothing but an account at the OpenID Connect provider, a
    recent sign-in is enough.
    """
    user = signed_in_user(request)
    records = get_authentication_records(request, user)
    if get_adapter(request).get_reauthentication_methods(user):
        records = [record for record in records if record.get("reauthenticated")]
    if not records:
        return False
    return bool(time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def other_methods(request: HttpRequest) -> list[ReauthenticationMethod]:
    """Returns the pages on which the user can reauthenticate with a passkey or an authenticator app."""
    methods = get_adapter(request).get_reauthentication_methods(signed_in_user(request))
    return [
        ReauthenticationMethod(_LABELS[method["id"]], method["url"])
        for method in methods
        if method["id"] in _LABELS
    ]
