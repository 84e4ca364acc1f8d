"""Collects the data of the pages about alerts."""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from teams.access import Access, Permission
from usage.alerts.actions.policy import thresholds_of
from usage.alerts.actions.subscriptions import subscriptions_of
from usage.alerts.addresses import read_address
from usage.alerts.forms import ThresholdsForm, UsageMailForm, WebhookForm
from usage.alerts.models import Event, Message, Webhook
from usage.alerts.run import lateness
from usage.anomalies.models import UsageMail

LATEST = 8
PAGE = 50


@dataclass(frozen=True)
class ListedWebhook:
    """A webhook with its newest message, as lists show it.

    The path of its address is hidden, because it may be secret.
    """

    webhook: Webhook
    last: Message | None

    @property
    def origin(self) -> str:
        return read_address(self.webhook.url).origin

    @property
    def events(self) -> list[str]:
        return [str(event.label) for event in Event if event.value in self.webhook.events]

    @property
    def state(self) -> str:
        """The state as a word: `off`, `failing` or `active`."""
        if not self.webhook.is_active:
            return "off"
        return "failing" if self.webhook.failing_since else "active"


@dataclass(frozen=True)
class ShownSecret:
    """The secret of a webhook that was just created or rotated; it is never shown again."""

    name: str
    secret: str


@dataclass(frozen=True)
class MessagesPage:
    """One page of messages, newest first.

    `older` is the id before which the next page begins; None on the last page.
    """

    rows: list[Message]
    older: int | None


def listed_webhooks(access: Access) -> list[ListedWebhook]:
    """Returns the team's webhooks sorted by name, each with its newest message."""
    webhooks = list(Webhook.objects.filter(team=access.team).order_by("name", "pk"))
    return [
        ListedWebhook(webhook, Message.objects.filter(webhook=webhook).order_by("-pk").first())
        for webhook in webhooks
    ]


def messages_page(messages: QuerySet[Message], before: int | None = None, most: int = PAGE) -> MessagesPage:
    """Returns one page of the messages in a queryset, newest first.

    If `before` is given, only messages with a lower id are included.
    """
    found = messages.select_related("webhook").order_by("-pk")
    rows = list((found.filter(pk__lt=before) if before else found)[: most + 1])
    return MessagesPage(rows[:most], rows[most - 1].pk if len(rows) > most else None)


def alerts_page(
    request: HttpRequest,
    access: Access,
    status: int = 200,
    *,
    shown: ShownSecret | None = None,
    **forms: Any,
) -> HttpResponse:
    """Renders the page of a team's alerts.

    `forms` are template variables that replace the fresh forms; views pass a rejected form this way, with
    `status` 422. `shown` is a new secret to show.
    """
    wanted = UsageMail.objects.filter(membership__team=access.team, membership__user=access.user).first()
    thresholds = ", ".join(map(str, thresholds_of(access.team)))
    context = {
        "access": access,
        "nav": "alerts",
        "may_edit": access.may(Permission.EDIT_TEAM),
        "has_mail": settings.HAS_MAIL,
        "mail_form": UsageMailForm(initial=asdict(subscriptions_of(wanted)), access=access),
        "thresholds_form": ThresholdsForm(initial={"thresholds": thresholds}),
        "webhook_form": WebhookForm(),
        "shown": shown,
        "now": timezone.now(),
        **forms,
    }
    if access.may(Permission.EDIT_TEAM):
        context |= {
            "late": lateness(timezone.now()),
            "webhooks": listed_webhooks(access),
            "messages_page": messages_page(Message.objects.filter(team=access.team), most=LATEST),
        }
    return render(request, "usage/alerts/alerts.html", context, status=status)
