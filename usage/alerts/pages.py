"""Data for the pages about alerts."""

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
    """A webhook as lists show it: without the path of its address, which may be secret."""

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
        """`off`, `failing` or `active`."""
        if not self.webhook.is_active:
            return "off"
        return "failing" if self.webhook.failing_since else "active"


@dataclass(frozen=True)
class ShownSecret:
    """The secret of a webhook that was just created or rotated: it is shown only this once."""

    name: str
    secret: str


@dataclass(frozen=True)
class MessagesPage:
    """Messages, newest first, and the id before which the next page begins (None: this is the last page)."""

    rows: list[Message]
    older: int | None


def listed_webhooks(access: Access) -> list[ListedWebhook]:
    """The team's webhooks by name, each with its newest message."""
    webhooks = list(Webhook.objects.filter(team=access.team).order_by("name", "pk"))
    return [
        ListedWebhook(webhook, Message.objects.filter(webhook=webhook).order_by("-pk").first())
        for webhook in webhooks
    ]


def messages_page(messages: QuerySet[Message], before: int | None = None, most: int = PAGE) -> MessagesPage:
    """One page of the team's messages, of one webhook or of all receivers."""
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
    """The page of a team's alerts, with rejected forms (`status` 422) in place of fresh ones."""
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
