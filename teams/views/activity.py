"""Views of a team's activity: the page and the CSV export."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from config.http import render_page
from teams.access import Permission
from teams.filters.activity import ActivityFilterSet
from teams.pages.activity import activity_csv, activity_page
from teams.view_helpers import access_for


def activity(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the changes in the team: who changed what, old and new values, when, and from which IP address."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    filters = ActivityFilterSet(request.GET, team=access.team)
    context = {
        "access": access,
        "nav": "activity",
        "form": filters.form,
        "now": timezone.now(),
        "lines": [],
        "older": None,
    }
    if filters.is_valid():
        before = filters.form.cleaned_data["before"]
        page = activity_page(filters.qs, before)
        context |= {"lines": page.lines, "older": page.older, "is_first": before is None}
    return render_page(request, "teams/activity.html", "teams-activity", context)


def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Returns the activity that matches the filters as a CSV file.

    If a filter is invalid, shows the page with the error.
    """
    access = access_for(request, slug, Permission.SEE_TEAM)
    filters = ActivityFilterSet(request.GET, team=access.team)
    if not filters.is_valid():
        return activity(request, slug)
    response = StreamingHttpResponse(activity_csv(filters.qs), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="activity-{access.team.slug}.csv"'
    return response
