"""Forms that set quotas."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from teams.models import Role
from usage.prices.money import AmountError, amount_nanos, read_usd, usd_string
from usage.quotas.actions.limits import Limit
from usage.quotas.actions.members import MemberChange
from usage.quotas.levels import LevelState
from usage.quotas.models import Period


def typed_amount(text: str) -> Decimal:
    """Converts a typed amount (`12.50`, `$1,200`) to dollars. Raises ValidationError."""
    try:
        usd = read_usd(text.strip().removeprefix("$").replace(",", ""))
        amount_nanos(usd)
    except AmountError as error:
        raise ValidationError(str(error)) from error
    return usd


class LimitForm(forms.Form):
    """Sets a limit for a period, or no limit.

    An empty amount is an error unless “No limit” is chosen, and so is a changed amount together with “No
    limit”. `initial` must always be the current limit (`limit_initial`), also when the form is submitted.
    """

    limit = forms.CharField(
        label=_("Limit in US dollars"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    period = forms.ChoiceField(
        label=_("Period"),
        choices=[
            (Period.MONTH, _("a month")),
            (Period.WEEK, _("a week, starting on Monday")),
            (Period.DAY, _("a day")),
            (Period.NONE, _("once (never resets)")),
        ],
        initial=Period.MONTH,
        required=False,
    )
    unlimited = forms.BooleanField(label=_("No limit"), required=False)
    note = forms.CharField(
        label=_("Note for the activity log"), required=False, max_length=500, widget=forms.TextInput()
    )

    def clean_limit(self) -> Decimal | None:
        text = self.cleaned_data["limit"].strip()
        return typed_amount(text) if text else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        missing = "limit" in self.fields and "limit" not in self.errors and data.get("limit") is None
        if missing and not data.get("unlimited"):
            self.add_error("limit", _now("Give an amount, or choose “No limit”."))
        usd = data.get("limit")
        if usd is not None and data.get("unlimited") and self._is_new(usd):
            self.add_error("limit", _now("Take “No limit” away to set this amount."))
        return data

    def _is_new(self, usd: Decimal) -> bool:
        """Returns whether the amount was changed. The current one may stay if “No limit” is chosen."""
        before = self.get_initial_for_field(self.fields["limit"], "limit")
        return before is None or Decimal(before) != usd

    def wanted(self) -> Limit | None:
        """Returns the limit to set; None for no limit. The form must be valid."""
        data = self.cleaned_data
        if data.get("unlimited") or data["limit"] is None:
            return None
        return Limit(data["limit"], Period(data["period"] or Period.MONTH))


def limit_initial(state: LevelState) -> dict[str, Any]:
    """Returns the initial values of `LimitForm` for the current state of a quota level."""
    if state.limit_nanos is None:
        return {"unlimited": True, "period": Period.MONTH}
    return {"limit": usd_string(state.limit_nanos), "period": state.period}


class NewTokenLimitForm(LimitForm):
    """The limit of a token that is being created. It may be empty, because the holder's limits apply anyway."""

    prefix = "quota"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("unlimited", "note"):
            del self.fields[name]
        self.fields["limit"].help_text = _("Leave empty to allow as much as your own quota.")

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data


class MemberForm(LimitForm):
    """Sets a member's quota and role. Fields that the user may not change are removed."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (Role.MEMBER, _("Member: makes calls, sees own usage and logs")),
            (Role.ADMINISTRATOR, _("Administrator: also invites, sets quotas, sees everybody's usage")),
        ],
        widget=forms.RadioSelect(),
        required=False,
    )

    def __init__(self, *args: Any, may_limit: bool, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_limit:
            for name in ("limit", "period", "unlimited"):
                del self.fields[name]
        if len(roles) < 2:
            del self.fields["role"]

    def change(self) -> MemberChange:
        """Returns the change to make. The form must be valid."""
        data = self.cleaned_data
        sets_limit = "limit" in self.fields
        return MemberChange(
            sets_limit=sets_limit,
            limit=self.wanted() if sets_limit else None,
            role=data.get("role") or "",
            note=data["note"],
        )


class UnpricedReserveForm(forms.Form):
    """Sets how much is reserved for a call whose price is not known."""

    prefix = "unpriced"
    amount = forms.CharField(
        label=_("US dollars to reserve for a call without a price"),
        max_length=60,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("0: nothing is reserved for such a call."),
    )

    def clean_amount(self) -> Decimal:
        return typed_amount(self.cleaned_data["amount"])
