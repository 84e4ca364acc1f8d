"""Views of the pages about alerts: one's own mails, the team's thresholds, the list of messages, the digest."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.http import render_page
from teams.access import Permission
from teams.activity import actor_of
from teams.view_helpers import access_for, run_action, run_form_action
from usage.alerts.actions.policy import set_thresholds
from usage.alerts.actions.subscriptions import set_subscriptions
from usage.alerts.digest import make_digest
from usage.alerts.filters import MessageFilterSet
from usage.alerts.forms import ThresholdsForm, UsageMailForm
from usage.alerts.pages import alerts_page, messages_page
from usage.rollups.weeks import Week, week_of


def alerts(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows one's own mails and, to those who may edit the team, thresholds, webhooks and recent messages."""
    return alerts_page(request, access_for(request, slug, Permission.SEE_OWN))


@require_POST
def save_mails(request: HttpRequest, slug: str) -> HttpResponse:
    """Saves which mails the user wants."""
    access = access_for(request, slug, Permission.SEE_OWN)
    form = UsageMailForm(request.POST, access=access)
    run_action(
        request,
        _("Saved."),
        set_subscriptions,
        by=actor_of(request),
        team=access.team,
        wishes=form.wishes(),
        now=timezone.now(),
    )
    return redirect("usage:alerts", slug)


@require_POST
def save_thresholds(request: HttpRequest, slug: str) -> HttpResponse:
    """Saves the alert thresholds of the team."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    form = ThresholdsForm(request.POST)
    if form.is_valid():
        percents = form.cleaned_data["thresholds"]
        run_form_action(form, set_thresholds, by=actor_of(request), team=access.team, percents=percents)
    if form.errors:
        return alerts_page(request, access, 422, thresholds_form=form)
    messages.success(request, _("Saved."))
    return redirect("usage:alerts", slug)


def message_log(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the team's messages: to whom each was sent, how many attempts it took, and the result."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    filters = MessageFilterSet(request.GET, team=access.team)
    before = filters.form.cleaned_data["before"] if filters.is_valid() else None
    context = {
        "access": access,
        "nav": "alerts",
        "form": filters.form,
        "webhook": filters.form.cleaned_data.get("webhook"),
        "is_filtered": filters.is_filtered,
        "messages_page": messages_page(filters.found, before),
        "is_first": before is None,
    }
    return render_page(request, "usage/alerts/messages.html", "usage-messages", context)


def digest(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows last week's digest as a preview."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    last_week = Week(week_of(now, access.team.zone).before, access.team.zone)
    context = {"access": access, "nav": "alerts", "digest": make_digest(access.team, last_week, now)}
    return render(request, "usage/alerts/digest.html", context)
