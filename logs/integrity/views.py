"""The view that compares a month's calls with statistics and quota use."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.http import render_page
from logs.integrity.forms import MonthFilter
from logs.integrity.reconciliation import MOST_CALLS, reconcile
from teams.access import Permission
from teams.view_helpers import access_for
from usage.rollups.buckets import day_of


def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the calls of a month next to the statistics and quota use that they should add up to."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    form = MonthFilter(request.GET)
    context: dict[str, Any] = {"access": access, "nav": "quotas", "form": form, "most_calls": MOST_CALLS}
    if form.is_valid():
        this_month = day_of(timezone.now(), access.team.zone).replace(day=1)
        month = form.cleaned_data["month"] or this_month
        context |= {
            "month": month,
            "earlier": month - timedelta(days=1),
            "later": month + timedelta(days=31) if month < this_month else None,
            "shown": reconcile(access.team, form.mode_asked(), month),
        }
    return render_page(request, "logs/integrity/check.html", "logs-check", context)
