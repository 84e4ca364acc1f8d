"""The filters of the tokens page, which lists tokens and gateway keys."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter, ModelChoiceFilter

from config.list_filters import ListFilterSet, PageForm
from teams.models import Secret, SecretQuerySet, Token, TokenQuerySet, User

STATES = {
    "active": _("Active"),
    "disabled": _("Disabled"),
    "expired": _("Expired"),
    "revoked": _("Revoked"),
}


class KeyListForm(PageForm):
    """The form of the filters of both lists on the page.

    `page` is the page number of the list of tokens, `keys` that of the list of gateway keys. `revoked` adds
    revoked keys to both lists. Without it, only the filter `state` can show them.
    """

    revoked = forms.BooleanField(required=False)
    keys = forms.IntegerField(required=False, min_value=1)


class KeyFilterSet(ListFilterSet):
    """Filters tokens or gateway keys by name, and by state at the time `now`."""

    q = CharFilter(label=_("Find by name"), field_name="name", lookup_expr="icontains", max_length=100)
    state = ChoiceFilter(
        label=_("State"), choices=list(STATES.items()), empty_label=_("Any state"), method="in_state"
    )

    class Meta:
        fields: list[str] = []
        form = KeyListForm

    @property
    def with_revoked(self) -> bool:
        """Whether the lists also contain revoked keys, because the parameter `revoked` is set."""
        return bool(self.form.cleaned_data.get("revoked"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Returns the queryset with each filter applied.

        Without `state` and `revoked`, it also leaves out revoked keys.
        """
        assert isinstance(queryset, SecretQuerySet)
        if not self.with_revoked and not self.form.cleaned_data.get("state"):
            queryset = queryset.unrevoked()
        return super().filter_queryset(queryset)

    def in_state(self, keys: SecretQuerySet[Secret], name: str, value: str) -> QuerySet[Any]:
        """Returns the keys that are in one state at the time `now`, such as `disabled`."""
        return keys.in_state(value, self.now)


class TokenFilterSet(KeyFilterSet):
    """Filters tokens by name, state and holder. One can choose from the holders of the given tokens."""

    holder = ModelChoiceFilter(
        label=_("Holder"),
        field_name="user",
        queryset=User.objects.none(),
        to_field_name="public_id",
        empty_label=_("Everybody"),
    )

    class Meta(KeyFilterSet.Meta):
        model = Token

    def __init__(self, data: Any, queryset: TokenQuerySet, **more: Any) -> None:
        super().__init__(data, queryset, **more)
        holders = User.objects.filter(pk__in=queryset.order_by().values("user"))
        self.filters["holder"].queryset = holders.order_by("name", "email")
