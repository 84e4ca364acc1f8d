"""The form of the members page."""

from django import forms

from teams.forms.invitations import INVITABLE_ROLES


class RoleForm(forms.Form):
    """The new role of a member."""

    role = forms.ChoiceField(choices=INVITABLE_ROLES)
