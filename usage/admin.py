"""Quotas and prices in the Django admin; changes go through the same actions as on the site's pages."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.formatting import money
from teams.admin.base import ReadOnlyAdmin, staff_of
from teams.errors import ActionError
from teams.models import Mode
from usage.prices.actions import create_price, delete_price
from usage.prices.forms import PriceForm
from usage.prices.models import Price
from usage.quotas.actions.limits import set_balance
from usage.quotas.availability import balance_levels
from usage.quotas.forms import LimitForm, limit_initial
from usage.quotas.levels import LevelState
from usage.quotas.models import Balance
from usage.quotas.runout import reset_sentence


class BalanceForm(LimitForm, forms.ModelForm):  # type: ignore[type-arg]
    """The form that sets the limit of an owner's balance. No field of the database row itself can be edited."""

    class Meta:
        model = Balance
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(limit_initial(level_of(self.instance)))
            self.fields["limit"].help_text = _(
                "If the limit is below the used amount, no calls are possible until the reset."
            )


def level_of(space: Balance, mode: Mode = Mode.LIVE) -> LevelState:
    """Returns limit, use and reservations of one owner's balance.

    Uses the state that `BalanceList` has read for all rows of the list, if there is one.
    """
    known: LevelState | None = getattr(space, "level", None) if mode == Mode.LIVE else None
    return known or balance_levels([space], mode, timezone.now())[space.pk]


class BalanceList(ChangeList):
    """The list of balances; reads limit, use and reservations of all rows of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        spaces = list(self.result_list)
        levels = balance_levels(spaces, Mode.LIVE, timezone.now())
        for space in spaces:
            space.level = levels[space.pk]
        self.result_list = spaces


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    """The balances of users: what each may spend in their personal space and all the teams that they own
    together.
    """

    support_may = ("view", "change")
    form = BalanceForm
    list_display = ("owner", "limit_usd", "period", "used", "reserved", "left")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "owner__name")
    ordering = ("owner__email",)
    readonly_fields = ("owner", "used", "reserved", "left", "reset", "used_in_test")
    fieldsets = (
        (None, {"fields": ("owner", "used", "reserved", "left", "reset", "used_in_test")}),
        (_("Limit"), {"fields": ("limit", "period", "unlimited", "note")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("usage.change_balance")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Balance]:
        balances: QuerySet[Balance] = super().get_queryset(request)
        return balances.filter(is_personal=True).select_related("owner")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BalanceList

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Returns the fieldsets, without the one for editing the limit if the user may only view."""
        return self.fieldsets if self.has_change_permission(request, obj) else self.fieldsets[:1]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows the page, or the error message of the action if the limit could not be set; then nothing is
        changed.
        """
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ActionError as error:
            messages.error(request, str(error))
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Balance, form: Any, change: bool) -> None:
        """Sets the limit with the action `set_balance` instead of saving the row."""
        wanted = {"limit": form.wanted(), "note": form.cleaned_data["note"], "now": timezone.now()}
        set_balance(by=staff_of(request), space=obj, **wanted)

    @admin.display(description=_("limit"))
    def limit_usd(self, space: Balance) -> Any:
        return money(level_of(space).limit_nanos) or _("no limit")

    @admin.display(description=_("period"))
    def period(self, space: Balance) -> Any:
        """Returns the label of the limit's period; without a limit it is the month, for which use is shown
        then.
        """
        return level_of(space).period.label

    @admin.display(description=_("used"))
    def used(self, space: Balance) -> str | None:
        return money(level_of(space).used_nanos)

    @admin.display(description=_("reserved"))
    def reserved(self, space: Balance) -> str | None:
        return money(level_of(space).reserved_nanos)

    @admin.display(description=_("left"))
    def left(self, space: Balance) -> Any:
        return money(level_of(space).available_nanos) or _("no limit")

    @admin.display(description=_("reset"))
    def reset(self, space: Balance) -> str:
        return reset_sentence(level_of(space), timezone.now())

    @admin.display(description=_("used in test mode"))
    def used_in_test(self, space: Balance) -> str | None:
        return money(level_of(space, Mode.TEST).used_nanos)


@admin.register(Price)
class PriceAdmin(ReadOnlyAdmin):
    """The site's own prices of models, which take precedence over the public price list.

    Superusers add and delete them, support staff can only view them.
    """

    form = PriceForm
    list_display = PriceForm.Meta.fields
    search_fields = ("model",)
    ordering = ("model", "-valid_from")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("usage.add_price")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("usage.delete_price")

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        create_price(by=staff_of(request), price=obj)

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        delete_price(by=staff_of(request), price=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> None:
        for price in queryset:
            self.delete_model(request, price)
