"""The form with which an owner offers a team to a successor."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from teams.access import Access
from teams.models import Membership, Role, User


class TransferForm(forms.Form):
    """Form to offer the ownership of a team.

    The owner chooses a successor and types the team's name to confirm. It also asks for the owner's password,
    unless they have reauthenticated or have no password.
    """

    prefix = "transfer"
    successor = forms.ModelChoiceField(
        label=_("New owner"), queryset=User.objects.none(), to_field_name="public_id", empty_label=None
    )
    typed_name = forms.CharField(
        label=_("Team name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label=_("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password to confirm.")},
    )

    def __init__(self, *args: Any, access: Access, confirmed: bool, **kwargs: Any) -> None:
        """Adds the successors as choices.

        `confirmed` says that the owner has just reauthenticated, and removes the password.
        """
        super().__init__(*args, **kwargs)
        self.user, self.confirmed = access.user, confirmed
        if confirmed or not self.user.has_usable_password():
            del self.fields["password"]
        successors = Membership.objects.filter(
            team=access.team, role=Role.ADMINISTRATOR, user__is_active=True
        ).values("user")
        field = self.fields["successor"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = User.objects.filter(pk__in=successors).order_by("name", "email")

    def clean_password(self) -> str:
        """Returns the password if it is correct. The view limits the number of attempts."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise ValidationError(_("This password is not correct."))
        return password

    def clean(self) -> dict[str, Any]:
        """Refuses an owner who has no password and has not reauthenticated in another way."""
        if not self.confirmed and "password" not in self.fields:
            raise ValidationError(_("Confirm your identity first."))
        return super().clean() or {}
