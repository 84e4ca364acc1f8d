"""The form of the prices page."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from logs.repricing.price_again import Progress
from usage.rollups.query import Range


class PriceAgainForm(forms.Form):
    """Selects the unpriced calls to price again: those of a period in UTC days, of one model or of all."""

    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("Until, that day included"), widget=forms.DateInput(attrs={"type": "date"}))
    model = forms.CharField(label=_("Model"), max_length=128, required=False, help_text=_("Empty: all models."))
    after = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput())

    def clean_after(self) -> Progress | None:
        text = self.cleaned_data["after"]
        if not text:
            return None
        try:
            team_id, mode, before = text.split(":")
            return Progress(int(team_id), int(mode), UUID(before))
        except ValueError as error:
            raise ValidationError(_now("Start again: this run is not known.")) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _now("The period ends before it starts."))
        return data

    def within(self) -> Range:
        """Returns the period of a valid form as a time range: both days are included."""
        data = self.cleaned_data
        return Range(_midnight(data["since"]), _midnight(data["until"] + timedelta(days=1)))


def rest_of_run(rest: Progress) -> str:
    """Returns the value of the field `after` that continues a run."""
    return f"{rest.team_id}:{rest.mode}:{rest.before}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
