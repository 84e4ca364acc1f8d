"""The form of the reconciliation page."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.models import Mode
from usage.parameters.forms import EARLIEST_YEAR, LATEST_YEAR


class MonthFilter(forms.Form):
    """Reads a month, such as 2026-11, and a mode from the query string of the reconciliation page."""

    month = forms.DateField(
        input_formats=["%Y-%m"],
        required=False,
        error_messages={"invalid": gettext_lazy("Enter a month such as 2026-11.")},
    )
    mode = forms.ChoiceField(choices=[("live", "live"), ("test", "test")], required=False)

    def clean_month(self) -> date | None:
        month: date | None = self.cleaned_data["month"]
        if month and not EARLIEST_YEAR <= month.year < LATEST_YEAR:
            raise ValidationError(_("Enter a month such as 2026-11."))
        return month

    def mode_asked(self) -> Mode:
        """Returns the requested mode; the form must be valid."""
        return Mode.TEST if self.cleaned_data["mode"] == "test" else Mode.LIVE
