"""Forms for mail subscriptions, thresholds and webhooks."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from teams.access import Access
from usage.alerts.actions.subscriptions import Subscriptions
from usage.alerts.actions.webhooks import WebhookValues
from usage.alerts.addresses import LONGEST
from usage.alerts.models import Event


class UsageMailForm(forms.Form):
    """Which mails about a team's usage a member wants. It has only checkboxes, so any input is valid."""

    own_quotas = forms.BooleanField(
        label=_("My quotas"),
        help_text=_("When my quota in this team, or that of one of my tokens, reaches a threshold."),
        required=False,
    )
    quotas = forms.BooleanField(
        label=_("Everybody’s quotas"),
        help_text=_("When the team’s quota, a member’s or a token’s reaches a threshold."),
        required=False,
    )
    refusals = forms.BooleanField(
        label=_("Refused calls"),
        help_text=_("When a quota refuses calls; at most once an hour for each limit."),
        required=False,
    )
    alerts = forms.BooleanField(
        label=_("Anomalies"),
        help_text=_("One mail for each, within about an hour after it starts."),
        required=False,
    )
    digest = forms.BooleanField(
        label=_("Weekly digest"),
        help_text=_("On Mondays: totals, ranking, anomalies, and quotas near their limit."),
        required=False,
    )

    def __init__(self, *args: Any, access: Access, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not access.sees_team:
            self.fields = {"own_quotas": self.fields["own_quotas"]}
        elif access.team.is_personal:
            del self.fields["quotas"]  # in a personal space everybody's quotas are one's own
            self.fields["own_quotas"].help_text = _(
                "When my balance, which all my teams share, or the quota of a token reaches a threshold."
            )

    def wishes(self) -> Subscriptions:
        """Returns the selected mails."""
        self.full_clean()
        names = Subscriptions.__dataclass_fields__
        return Subscriptions(**{name: self.cleaned_data.get(name, False) for name in names})


class ThresholdsForm(forms.Form):
    """The alert thresholds of a team as text: percentages, separated by commas or spaces."""

    thresholds = forms.CharField(
        label=_("Percentages of a limit"),
        required=False,
        max_length=100,
        help_text=_("Whole numbers such as 50, 80, 95, 100. Leave empty for no quota alerts."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_thresholds(self) -> list[int]:
        words = re.split(r"[\s,;]+", self.cleaned_data["thresholds"].strip().replace("%", " ").strip())
        for word in filter(None, words):
            if not re.fullmatch(r"[0-9]{1,4}", word, re.ASCII):
                raise ValidationError(
                    _now("“%(word)s” is not a whole number of percent."), params={"word": word[:20]}
                )
        return [int(word) for word in words if word]


class WebhookForm(forms.Form):
    """The values of a new webhook."""

    name = forms.CharField(label=_("Name"), max_length=100)
    url = forms.CharField(
        label=_("Address"),
        max_length=LONGEST,
        help_text=_(
            "The address that alerts are posted to, for example an incoming webhook of Slack or Mattermost."
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Notify about"),
        choices=Event.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[event.value for event in Event],
    )

    def wanted(self, *, is_active: bool = True) -> WebhookValues:
        """Returns the values of a valid form."""
        data = self.cleaned_data
        events = tuple(Event(value) for value in data["events"])
        return WebhookValues(data["name"], data["url"], events, is_active)


class WebhookChangeForm(WebhookForm):
    is_active = forms.BooleanField(
        label=_("Active"), required=False, help_text=_("When off, it gets no messages. The secret is kept.")
    )
