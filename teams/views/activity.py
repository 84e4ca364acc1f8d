"""The activity page and its export."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from config.http import render_page
from teams.access import Permission
from teams.forms import ActivityFilter
from teams.history import activity_csv, activity_page
from teams.requests import access_for


def activity(request: HttpRequest, slug: str) -> HttpResponse:
    """Every change of state in the team: who, what, on whom, before and after, when, from where."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    form = ActivityFilter(request.GET, team=access.team)
    context = {
        "access": access,
        "nav": "activity",
        "form": form,
        "now": timezone.now(),
        "lines": [],
        "older": None,
    }
    if form.is_valid():
        page = activity_page(form.query(), form.cleaned_data["before"])
        context |= {
            "lines": page.lines,
            "older": page.older,
            "is_first": form.cleaned_data["before"] is None,
        }
    return render_page(request, "teams/activity.html", "teams-activity", context)


def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The filtered activity as CSV; a bad filter shows the page with its error."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    form = ActivityFilter(request.GET, team=access.team)
    if not form.is_valid():
        return activity(request, slug)
    response = StreamingHttpResponse(activity_csv(form.query()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="activity-{access.team.slug}.csv"'
    return response
