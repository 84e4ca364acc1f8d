"""The two forms of the invitations page: to invite by e-mail, and to create an invitation link."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from teams.actions.invitations import LONGEST, MOST_USES, InvitationRequest
from teams.models import Role

INVITABLE_ROLES = [(Role.MEMBER.value, Role.MEMBER.label), (Role.ADMINISTRATOR.value, Role.ADMINISTRATOR.label)]


class InviteForm(forms.Form):
    """Form for e-mail addresses to invite, separated by commas, semicolons, spaces or new lines.

    A line may end with a role for the people on it. The field `role` is for all others.
    """

    emails = forms.CharField(
        label=_("E-mail addresses"),
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "kim@example.org, lee@example.org"}),
        help_text=_(
            "Separate addresses with commas or new lines. If a line ends with “administrator” or “member”, the "
            "people on it get that role."
        ),
        max_length=20000,
    )
    role = forms.ChoiceField(label=_("Role"), choices=INVITABLE_ROLES, initial=Role.MEMBER)

    def clean(self) -> dict[str, Any]:
        """Returns the data with `people`: an InvitationRequest for each address, in the order of the text.

        An error names the line of each text that is not an e-mail address.
        """
        cleaned = super().clean() or {}
        default = cleaned.get("role", Role.MEMBER)
        people, wrong = [], []
        for number, line in enumerate(cleaned.get("emails", "").splitlines(), start=1):
            role, rest = _line_role(line, default)
            for part in filter(None, re.split(r"[,;\s]+", re.sub(r"[^,;<>]*<([^<>]*)>", r" \1 ", rest))):
                try:
                    validate_email(part)
                    people.append(InvitationRequest(part, role))
                except ValidationError:
                    message = _now("Line %(line)d: “%(text)s” is not an e-mail address.")
                    wrong.append(message % {"line": number, "text": part[:80]})
        if wrong:
            self.add_error("emails", wrong)
        elif "emails" in cleaned and not people:
            self.add_error("emails", _now("Enter at least one e-mail address."))
        return {**cleaned, "people": people}


def _line_role(line: str, default: str) -> tuple[str, str]:
    """Returns the role that a line ends with, or `default` if there is none, and the line without the role."""
    match = re.search(r"[\s,;:]+(administrator|admin|member)\s*$", line, re.IGNORECASE)
    if match is None:
        return default, line
    role = Role.MEMBER if match[1].lower() == "member" else Role.ADMINISTRATOR
    return role, line[: match.start()]


class LinkForm(forms.Form):
    """Form for an invitation link: its role, how many people can use it, and for how many days it is valid."""

    role = forms.ChoiceField(label=_("Role"), choices=INVITABLE_ROLES, initial=Role.MEMBER)
    max_uses = forms.IntegerField(label=_("Maximum uses"), min_value=1, max_value=MOST_USES, initial=1)
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=LONGEST.days, initial=7)
