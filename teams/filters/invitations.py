"""The filters of the invitations page."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter

from config.list_filters import ListFilterSet, PageForm
from teams.models import Invitation, InvitationQuerySet

STATES = {
    "pending": _("Pending"),
    "accepted": _("Accepted"),
    "declined": _("Declined"),
    "revoked": _("Revoked"),
    "expired": _("Expired"),
}


class InvitationFilterSet(ListFilterSet):
    """Filters invitations by e-mail address, role, and state at the time `now`."""

    q = CharFilter(label=_("Find by e-mail"), field_name="email", lookup_expr="icontains", max_length=100)
    role = ChoiceFilter(
        label=_("Role"), choices=Invitation._meta.get_field("role").choices, empty_label=_("Any role")
    )
    state = ChoiceFilter(
        label=_("State"), choices=list(STATES.items()), empty_label=_("All"), method="in_state"
    )

    class Meta:
        model = Invitation
        fields: list[str] = []
        form = PageForm

    def in_state(self, invitations: InvitationQuerySet, name: str, value: str) -> QuerySet[Invitation]:
        """Returns the invitations that are in one state at the time `now`, such as `pending`."""
        return invitations.in_state(value, self.now)
