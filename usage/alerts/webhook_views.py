"""Views of a team's webhooks, which are on the page of alerts and on a page for each webhook."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from teams.access import Access, Permission
from teams.activity import actor_of
from teams.view_helpers import access_for, run_action, run_action_for_result, run_form_action
from usage.alerts.actions.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    queue_again,
    queue_test,
    rotate_webhook,
)
from usage.alerts.forms import WebhookChangeForm, WebhookForm
from usage.alerts.models import Message, MessageState, Webhook
from usage.alerts.outbox import attempt as send
from usage.alerts.pages import ShownSecret, alerts_page, messages_page


@require_POST
@never_cache
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """Creates a webhook and shows its secret, which is shown only this once."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    form = WebhookForm(request.POST)
    if form.is_valid():
        made = run_form_action(
            form, create_webhook, by=actor_of(request), team=access.team, wanted=form.wanted()
        )
        if made:
            return alerts_page(request, access, shown=ShownSecret(made[0].name, made[1]))
    return alerts_page(request, access, 422, webhook_form=form)


def webhook(request: HttpRequest, slug: str, webhook_id: str) -> HttpResponse:
    """Shows one webhook: its settings and its messages."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    one = _webhook(access, webhook_id)
    form = WebhookChangeForm(
        initial={"name": one.name, "url": one.url, "events": one.events, "is_active": one.is_active}
    )
    return _page(request, access, one, form)


@require_POST
def change(request: HttpRequest, slug: str, webhook_id: str) -> HttpResponse:
    """Changes a webhook's name, address, events, and whether it is active."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    one = _webhook(access, webhook_id)
    form = WebhookChangeForm(request.POST)
    if form.is_valid():
        wanted = form.wanted(is_active=form.cleaned_data["is_active"])
        run_form_action(form, change_webhook, by=actor_of(request), webhook=one, wanted=wanted)
    if form.errors:
        return _page(request, access, one, form, status=422)
    messages.success(request, _("Saved."))
    return redirect("usage:webhook", slug, webhook_id)


@require_POST
@never_cache
def rotate(request: HttpRequest, slug: str, webhook_id: str) -> HttpResponse:
    """Gives a webhook a new secret and shows it, only this once."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    made = run_action_for_result(
        request, rotate_webhook, by=actor_of(request), webhook=_webhook(access, webhook_id)
    )
    if made is None:
        return redirect("usage:alerts", slug)
    return alerts_page(request, access, shown=ShownSecret(made[0].name, made[1]))


@require_POST
def delete(request: HttpRequest, slug: str, webhook_id: str) -> HttpResponse:
    """Deletes a webhook together with its messages."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    one = _webhook(access, webhook_id)
    done = _("Deleted “%(name)s”.") % {"name": one.name}
    run_action(request, done, delete_webhook, by=actor_of(request), webhook=one)
    return redirect("usage:alerts", slug)


@require_POST
def test(request: HttpRequest, slug: str, webhook_id: str) -> HttpResponse:
    """Sends a test message to a webhook immediately and shows the result."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    one = _webhook(access, webhook_id)
    queued = run_action_for_result(request, queue_test, by=actor_of(request), webhook=one, now=timezone.now())
    return _send_now(request, slug, queued)


@require_POST
def resend(request: HttpRequest, slug: str, message_id: str) -> HttpResponse:
    """Sends a message from the list to its webhook again, immediately, and shows the result."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    posted = Message.objects.select_related("webhook__team").exclude(webhook=None)
    one = get_object_or_404(posted, team=access.team, public_id=message_id)
    queued = run_action_for_result(request, queue_again, by=actor_of(request), message=one, now=timezone.now())
    return _send_now(request, slug, queued)


def _send_now(request: HttpRequest, slug: str, queued: Message | None) -> HttpResponse:
    """Sends a queued message now, after the commit, and shows the result on the webhook's page."""
    if queued is None or queued.webhook is None:
        return redirect("usage:alerts", slug)
    sent, name = send(queued, timezone.now()), queued.webhook.name
    if sent.state == MessageState.DELIVERED:
        words = {"name": name, "status": sent.response_status, "took": sent.took_ms}
        messages.success(request, _("“%(name)s” accepted the message: %(status)s after %(took)s ms.") % words)
    else:
        words = {"name": name, "error": sent.error}
        messages.error(request, _("“%(name)s” did not accept the message. %(error)s") % words)
    return redirect("usage:webhook", slug, queued.webhook.public_id)


def _webhook(access: Access, webhook_id: str) -> Webhook:
    return get_object_or_404(Webhook.objects.select_related("team"), team=access.team, public_id=webhook_id)


def _page(
    request: HttpRequest, access: Access, one: Webhook, form: WebhookForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "access": access,
        "nav": "alerts",
        "webhook": one,
        "form": form,
        "messages_page": messages_page(Message.objects.filter(webhook=one)),
    }
    return render(request, "usage/alerts/webhook.html", context, status=status)
