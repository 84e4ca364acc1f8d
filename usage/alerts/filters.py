"""The filters of the page that lists a team's alert messages."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, ModelChoiceFilter

from config.list_filters import ListFilterSet, OlderForm
from teams.models import Team
from usage.alerts.models import TEST_EVENT, Event, Message, MessageState, Webhook


class MessageFilterSet(ListFilterSet):
    """Filters a team's messages by webhook, event and state."""

    webhook = ModelChoiceFilter(
        label=_("Webhook"),
        queryset=Webhook.objects.none(),
        to_field_name="public_id",
        empty_label=_("Mail and all webhooks"),
    )
    event = ChoiceFilter(
        label=_("Event"),
        choices=[*Event.choices, (TEST_EVENT, _("Tests"))],
        empty_label=_("All events"),
    )
    state = ChoiceFilter(label=_("State"), choices=MessageState.choices, empty_label=_("Any state"))

    class Meta:
        model = Message
        fields: list[str] = []
        form = OlderForm

    def __init__(self, data: Any, *, team: Team) -> None:
        super().__init__(data, Message.objects.filter(team=team))
        self.filters["webhook"].queryset = Webhook.objects.filter(team=team).order_by("name", "pk")
