"""Views that mark anomalies as expected and remove such marks."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from teams.access import Access, Permission
from teams.activity import actor_of
from teams.view_helpers import access_for, run_action
from usage.anomalies.actions import mark_expected, unmark_expected
from usage.anomalies.episodes import Episode
from usage.anomalies.forms import ExpectedForm
from usage.anomalies.models import ExpectedEpisode
from usage.anomalies.shown import anomalies_in
from usage.parameters.forms import UsageFilter
from usage.rollups.query import UsageQuery


@require_POST
def mark(request: HttpRequest, slug: str) -> HttpResponse:
    """Marks an episode that the page shows as expected, and returns to the page."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    now, form = timezone.now(), ExpectedForm(request.POST)
    query = _query_of_page(form.page, access, now)
    episode = _episode(query, form.data.get("episode", ""), now) if query else None
    if query is None or episode is None:
        messages.error(request, _("This anomaly is no longer shown."))
    elif not form.is_valid():
        messages.error(request, str(next(error for errors in form.errors.values() for error in errors)))
    else:
        run_action(
            request,
            _("Marked as expected."),
            mark_expected,
            by=actor_of(request),
            team=access.team,
            mode=query.mode,
            episode=episode,
            reason=form.cleaned_data["reason"],
            now=now,
        )
    return _back(slug, form)


@require_POST
def unmark(request: HttpRequest, slug: str, expected_id: str) -> HttpResponse:
    """Removes the mark that an episode is expected, and returns to the page."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    mark = get_object_or_404(ExpectedEpisode, team=access.team, public_id=expected_id)
    run_action(request, _("The mark was removed."), unmark_expected, by=actor_of(request), mark=mark)
    return _back(slug, ExpectedForm(request.POST))


def _query_of_page(page: QueryDict, access: Access, now: datetime) -> UsageQuery | None:
    """Returns the usage query of a page with these query parameters; None if they are not valid."""
    asked = UsageFilter(page, access=access, now=now)
    return asked.query() if asked.is_valid() else None


def _episode(query: UsageQuery, key: str, now: datetime) -> Episode | None:
    shown = anomalies_in(query, sees_team=True, now=now)
    return next((note.episode for note in shown.notes if note.episode.key == key), None)


def _back(slug: str, form: ExpectedForm) -> HttpResponse:
    """Redirects to the overview page with the same filters."""
    address = reverse("usage:overview", args=[slug])
    return redirect(f"{address}?{form.page.urlencode()}" if form.page else address)
