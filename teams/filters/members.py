"""The filters of the members page."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter

from config.list_filters import ListFilterSet, PageForm
from teams.email_addresses import address_is_confirmed
from teams.models import Membership, Role


class MemberFilterSet(ListFilterSet):
    """Filters members by name or e-mail address, role, and state of their account."""

    q = CharFilter(label=_("Find by name or e-mail"), max_length=100, method="search")
    role = ChoiceFilter(label=_("Role"), choices=Role.choices, empty_label=_("All"))
    state = ChoiceFilter(
        label=_("Account"),
        choices=[
            ("active", _("Active")),
            ("deactivated", _("Deactivated")),
            ("unverified", _("E-mail not verified")),
        ],
        empty_label=_("Any account"),
        method="in_state",
    )

    class Meta:
        model = Membership
        fields: list[str] = []
        form = PageForm

    def search(self, members: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        """Returns the members whose name or e-mail address contains the text `value`."""
        return members.filter(Q(user__name__icontains=value) | Q(user__email__icontains=value))

    def in_state(self, members: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        """Returns the members whose account is `active` or `deactivated`, or whose address is `unverified`."""
        if value == "unverified":
            return members.filter(~address_is_confirmed("user", "user__email"))
        return members.filter(user__is_active=value == "active")
