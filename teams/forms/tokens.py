"""The forms of the tokens page: for tokens and for gateway keys."""

import re
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from teams.models import Mode


class SecretForm(forms.Form):
    """Base of the forms for a new token and a new gateway key: the fields that both have."""

    EXPIRIES = [
        ("30", _("in 30 days")),
        ("90", _("in 90 days")),
        ("365", _("in a year")),
        ("never", _("never")),
    ]
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("For example, the name of the machine that will use it.")
    )
    expires = forms.ChoiceField(label=_("Expires"), choices=EXPIRIES, initial="30")

    def expires_at(self, now: datetime) -> datetime | None:
        """Returns the time at which the new key expires, or None for never. The form must be valid."""
        days = self.cleaned_data["expires"]
        return None if days == "never" else now + timedelta(days=int(days))


class GatewayKeyForm(SecretForm):
    """Form for a new gateway key. Its field names have a prefix, because the token form is on the same page."""

    prefix = "gateway"


class TokenForm(SecretForm):
    """Form for a new token."""

    mode = forms.TypedChoiceField(
        label=_("Mode"),
        choices=Mode.choices,
        coerce=int,
        initial=Mode.LIVE.value,
        widget=forms.RadioSelect,
        help_text=_("Calls made with a test token are counted separately and never use live quota."),
    )
    models = forms.CharField(
        label=_("Models"),
        required=False,
        max_length=2000,
        help_text=_("The models that the token may use, separated by commas. Leave empty to allow all."),
    )

    def clean_models(self) -> list[str]:
        """Returns the names of models as a list without duplicates; an empty list allows all models."""
        names = dict.fromkeys(filter(None, re.split(r"[,\s]+", self.cleaned_data["models"])))
        if any(len(name) > 128 for name in names):
            raise ValidationError(_("The name of a model can have at most 128 characters."))
        return list(names)


class RenameForm(forms.Form):
    """Form for the new name of a token or gateway key."""

    name = forms.CharField(max_length=100)
