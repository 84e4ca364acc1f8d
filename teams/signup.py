"""The check that both sign-up forms have in common: the form with a password, and that after OpenID Connect."""

from typing import Any

from allauth.core import context
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from teams.account_adapter import invited_address
from teams.models import User


class InvitedForm(forms.Form):
    """Refuses an e-mail address other than the invited one, if people can sign up only by invitation."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        invited = invited_address(context.request)
        if invited and "email" in cleaned and invited.lower() != cleaned["email"].lower():
            message = _("The invitation is for %(address)s. Sign up with this address.")
            self.add_error("email", message % {"address": invited})
        return cleaned

    def signup(self, request: HttpRequest, user: User) -> None:
        """Does nothing; django-allauth requires it."""
