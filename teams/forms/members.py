"""The form of the members page."""

from django import forms

from teams.forms.invitations import INVITABLE_ROLES


class RoleForm(forms.Form):
    """Form for the new role of a member: administrator or member."""

    role = forms.ChoiceField(choices=INVITABLE_ROLES)
