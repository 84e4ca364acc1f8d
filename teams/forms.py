"""The readers of what people send about users and teams."""

import re
import zoneinfo
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from teams.access import Access
from teams.actions.invitations import LONGEST, MOST_USES, Wanted
from teams.history import NOUNS, ActivityQuery, people_of
from teams.models import Membership, Mode, Role, Team, User

INVITABLE = [(Role.MEMBER.value, Role.MEMBER.label), (Role.ADMINISTRATOR.value, Role.ADMINISTRATOR.label)]


class ProfileForm(forms.Form):
    """One's own name."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("Owners and administrators of your teams see it beside your calls."),
    )


def time_zones() -> list[tuple[str, str]]:
    """Every zone of the time zone database that people live in."""
    return [(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name or name == "UTC"]


class TeamForm(forms.Form):
    """Name, description and time zone of a team."""

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
        # A zone under an old name, set by a command, must survive a change of the name.
        if current and current not in dict(time_zones()):
            field.choices = [(current, current), *time_zones()]


class PageFilter(forms.Form):
    """Which page of a list is shown."""

    page = forms.IntegerField(required=False, min_value=1)

    def clean_page(self) -> int:
        return self.cleaned_data["page"] or 1


class MemberFilter(PageFilter):
    """Search, role filter and page of the members page."""

    q = forms.CharField(label=_("Find by name or e-mail"), max_length=100, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=[("", _("All")), *Role.choices], required=False)


class RoleForm(forms.Form):
    """The role that a member shall have."""

    role = forms.ChoiceField(choices=INVITABLE)


class InviteForm(forms.Form):
    """Addresses to invite: separated by commas, semicolons or lines; a line may end with its own role."""

    emails = forms.CharField(
        label=_("E-mail addresses"),
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "kim@example.org, lee@example.org"}),
        help_text=_(
            "Separate them with commas or new lines. A line that ends with “administrator” or “member” "
            "gives the people on it that role."
        ),
        max_length=20000,
    )
    role = forms.ChoiceField(label=_("Role"), choices=INVITABLE, initial=Role.MEMBER)

    def clean(self) -> dict[str, Any]:
        """`people`: who is wanted, in the order typed. Names every line that cannot be read."""
        cleaned = super().clean() or {}
        default = cleaned.get("role", Role.MEMBER)
        people, wrong = [], []
        for number, line in enumerate(cleaned.get("emails", "").splitlines(), start=1):
            role, rest = _line_role(line, default)
            for part in filter(None, re.split(r"[,;\s]+", re.sub(r"[^,;<>]*<([^<>]*)>", r" \1 ", rest))):
                try:
                    validate_email(part)
                    people.append(Wanted(part, role))
                except ValidationError:
                    message = _now("Line %(line)d: “%(text)s” is not an e-mail address.")
                    wrong.append(message % {"line": number, "text": part[:80]})
        if wrong:
            self.add_error("emails", wrong)
        elif "emails" in cleaned and not people:
            self.add_error("emails", _now("Enter at least one e-mail address."))
        return {**cleaned, "people": people}


def _line_role(line: str, default: str) -> tuple[str, str]:
    """The role a line ends with, else the default, and the line without it."""
    match = re.search(r"[\s,;:]+(administrator|admin|member)\s*$", line, re.IGNORECASE)
    if match is None:
        return default, line
    role = Role.MEMBER if match[1].lower() == "member" else Role.ADMINISTRATOR
    return role, line[: match.start()]


class LinkForm(forms.Form):
    """A link to invite by."""

    role = forms.ChoiceField(label=_("Role"), choices=INVITABLE, initial=Role.MEMBER)
    max_uses = forms.IntegerField(label=_("Uses"), min_value=1, max_value=MOST_USES, initial=1)
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=LONGEST.days, initial=7)


class InvitationFilter(PageFilter):
    """Which invitations are shown."""

    STATES = ("pending", "accepted", "declined", "revoked", "expired")
    state = forms.ChoiceField(choices=[("", ""), *((state, state) for state in STATES)], required=False)


class KeyFilter(PageFilter):
    """Which tokens and gateway keys are shown; `page` is of the tokens, `keys` of the gateway keys."""

    revoked = forms.BooleanField(required=False)
    keys = forms.IntegerField(required=False, min_value=1)

    def clean_keys(self) -> int:
        return self.cleaned_data["keys"] or 1


class SecretForm(forms.Form):
    """What tokens and gateway keys alike are made with."""

    EXPIRIES = [
        ("30", _("in 30 days")),
        ("90", _("in 90 days")),
        ("365", _("in a year")),
        ("never", _("never")),
    ]
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Such as the machine it is for."))
    expires = forms.ChoiceField(label=_("Expires"), choices=EXPIRIES, initial="30")

    def expires_at(self, now: datetime) -> datetime | None:
        """The moment chosen; None, never. Of a valid form."""
        days = self.cleaned_data["expires"]
        return None if days == "never" else now + timedelta(days=int(days))


class GatewayKeyForm(SecretForm):
    """A new gateway key; its fields have names of their own beside the token form of the same page."""

    prefix = "gateway"


class TokenForm(SecretForm):
    """A new token."""

    mode = forms.TypedChoiceField(
        label=_("Mode"),
        choices=Mode.choices,
        coerce=int,
        initial=Mode.LIVE.value,
        widget=forms.RadioSelect,
        help_text=_("Calls of a test token are counted apart and never use live quota."),
    )
    models = forms.CharField(
        label=_("Models"),
        required=False,
        max_length=2000,
        help_text=_("Only these, separated by commas. Empty: all."),
    )

    def clean_models(self) -> list[str]:
        """The names, without repeats."""
        names = dict.fromkeys(filter(None, re.split(r"[,\s]+", self.cleaned_data["models"])))
        if any(len(name) > 128 for name in names):
            raise ValidationError(_("A model's name has at most 128 characters."))
        return list(names)


class RenameForm(forms.Form):
    """The new name of a token or key."""

    name = forms.CharField(max_length=100)


class TransferForm(forms.Form):
    """Offering the team: to whom, the team's name typed, the owner's password unless they have confirmed."""

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
        error_messages={"required": _("Type your password to confirm.")},
    )

    def __init__(self, *args: Any, access: Access, confirmed: bool, **kwargs: Any) -> None:
        """`confirmed`: the owner has just shown who they are, by a passkey for instance."""
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
        """Right. The view limits how often it may be tried."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise ValidationError(_("This is not your password."))
        return password

    def clean(self) -> dict[str, Any]:
        """Refused to somebody who has no password and has not confirmed in another way."""
        if not self.confirmed and "password" not in self.fields:
            raise ValidationError(_("Confirm first that it is you."))
        return super().clean() or {}


class DeleteForm(forms.Form):
    """Deleting the team: its name typed."""

    prefix = "delete"
    typed_name = forms.CharField(
        label=_("Team name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class OlderFilter(forms.Form):
    """Where a list goes on: below the id `before`."""

    before = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)


class ActivityFilter(OlderFilter):
    """Which activity is shown: person, kind, days of the team's calendar (the last one included)."""

    person = forms.ModelChoiceField(
        label=_("Person"),
        queryset=User.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=_("Everybody"),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Everything")), *NOUNS.items()], required=False)
    start = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team = team
        field = self.fields["person"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people_of(team)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _now("The last day is before the first."))
        return cleaned

    def query(self) -> ActivityQuery:
        """What a valid form asks for."""
        asked = self.cleaned_data
        return ActivityQuery(
            team=self.team,
            person=asked["person"],
            noun=asked["kind"],
            start=self._midnight(asked["start"], 0),
            end=self._midnight(asked["end"], 1),
        )

    def _midnight(self, day: date | None, later: int) -> datetime | None:
        if day is None:
            return None
        try:
            return datetime.combine(day + timedelta(days=later), time(), self.team.zone)
        except OverflowError:  # the last day of the calendar
            return None
