"""The forms of a team's settings page, and of the page for a new team."""

import zoneinfo
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _


def time_zones() -> list[tuple[str, str]]:
    """Returns the choices of a time zone field, as (name, name): UTC and the zones named by place."""
    return [(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name or name == "UTC"]


class TeamForm(forms.Form):
    """Form for the name, description and time zone of a team."""

    name = forms.CharField(label=_("Team name"), max_length=100)
    description = forms.CharField(label=_("Description"), max_length=500, required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lazy(time_zones, list),
        help_text=_("Days, months and quota resets follow this zone."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.initial.get("time_zone")
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        # A zone that is not a choice, because a command set it, must stay when somebody renames the team.
        if current and current not in dict(time_zones()):
            field.choices = [(current, current), *time_zones()]


class DeleteForm(forms.Form):
    """Form to delete a team. The user types the name of the team to confirm."""

    prefix = "delete"
    typed_name = forms.CharField(
        label=_("Team name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
