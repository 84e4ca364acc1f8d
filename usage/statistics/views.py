"""The usage pages: each view checks access, reads the form, asks for statistics and renders the response."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from config.http import render_page
from teams.access import Access, Permission, memberships_of, team_for
from teams.models import User
from usage.anomalies.shown import Note, marks_by_point
from usage.parameters.forms import RangeFilter, UsageFilter
from usage.parameters.names import own_tokens
from usage.quotas.contexts import own_contexts
from usage.rollups.query import PRESETS, Granularity
from usage.rollups.statements import FULL
from usage.statistics import charts
from usage.statistics.drill_down import Behind, CallsBehind
from usage.statistics.exports import overview_export, own_export, ranking_export
from usage.statistics.forms import ExportForm, OverviewFilter, OwnCallsFilter, OwnFilter, RankingFilter
from usage.statistics.overview import Overview
from usage.statistics.own import prepared_question, way_behind
from usage.statistics.own_calls import own_calls
from usage.statistics.pages import overview_page, own_page
from usage.statistics.ranking import ranking_page, ranking_rows
from usage.statistics.rows import PLURALS
from usage.statistics.snippets import first_call
from usage.statistics.top import top_page

MOST_TOKENS = 8  # the most tokens that the personal page lists


def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the usage of a team: totals, charts, models and ranking; a member sees only their own part."""
    access = _access(request, slug, Permission.SEE_OWN)
    now = timezone.now()
    form = OverviewFilter(request.GET, access=access, now=now)
    context = _frame(request, access, form, "overview")
    if form.is_valid():
        page = overview_page(form.query(), access, now, form.by_asked)
        behind = CallsBehind(access.team, request.GET)
        context |= {"page": page, "top": page.top, "bys": PLURALS.items()}
        context |= _charts(request, page.overview, page.anomalies.notes, behind)
        if page.never_called:
            context |= {"first_call": first_call(settings.BASE_URL, now)}
    return render_page(request, "usage/statistics/overview.html", "usage-overview", context)


def top(request: HttpRequest, slug: str) -> HttpResponse:
    """Renders the ranking panel of the overview alone, which is loaded when a tab of the panel is opened."""
    access = _access(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    form = OverviewFilter(request.GET, access=access, now=now)
    context = _frame(request, access, form, "overview") | {"bys": PLURALS.items()}
    if form.is_valid():
        context |= {"top": top_page(form.query(), access, form.by_asked, now)}
    return render_page(request, "usage/statistics/top.html", "usage-top", context)


def overview_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the figures of the overview as a CSV or JSON file."""
    access = _access(request, slug, Permission.SEE_OWN)
    now = timezone.now()
    form, saved = OverviewFilter(request.GET, access=access, now=now), ExportForm(request.GET)
    if not (form.is_valid() and saved.is_valid()):
        return _refused(form, saved)
    page = overview_page(form.query(), access, now, form.by_asked, FULL)
    return overview_export(page, saved.cleaned_data["format"])


def ranking(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows a page of the ranking of members, tokens or models, sorted by any column."""
    access = _access(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    form = RankingFilter(request.GET, access=access, now=now)
    context = _frame(request, access, form, "ranking") | {"bys": PLURALS.items()}
    if form.is_valid():
        context |= {"page": ranking_page(form.query(), form.order_asked(), access, now)}
    return render_page(request, "usage/statistics/ranking.html", "usage-ranking", context)


def ranking_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the whole ranking as a CSV or JSON file."""
    access = _access(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    form, saved = RankingFilter(request.GET, access=access, now=now), ExportForm(request.GET)
    if not (form.is_valid() and saved.is_valid()):
        return _refused(form, saved)
    order = form.order_asked()
    query, rows = ranking_rows(form.query(), order, access, now)
    return ranking_export(query, rows, order.by, saved.cleaned_data["format"])


def _refused(*forms: Form) -> HttpResponse:
    """Returns a plain-text response (status 400) with the errors of invalid forms in the address of a file.

    Plain text is enough, because nobody types these addresses.
    """
    messages = [message for form in forms for errors in form.errors.values() for message in errors]
    return HttpResponse("\n".join(map(str, messages)), status=400, content_type="text/plain; charset=utf-8")


def me(request: HttpRequest) -> HttpResponse:
    """Shows the user's remaining quota in every context (team or personal space), and their own usage."""
    assert isinstance(request.user, User)
    now = timezone.now()
    memberships, tokens = memberships_of(request.user), own_tokens(request.user)
    form = OwnFilter(request.GET, user=request.user, memberships=memberships, tokens=tokens, now=now)
    context = _filters(request, form, "me") | {
        "contexts_shown": own_contexts(memberships, form.mode_asked, now),
        "memberships": memberships,
        "tokens": [token for token in tokens if token.revoked_at is None][:MOST_TOKENS],
        "now": now,
    }
    if form.is_valid():
        asked = form.question()
        page = own_page(asked, memberships, tokens, now)
        behind = way_behind(asked, request.GET)
        context |= {"page": page, **_charts(request, page.overview, page.anomalies.notes, behind)}
    return render_page(request, "usage/statistics/me.html", "usage-me", context)


def my_calls(request: HttpRequest) -> HttpResponse:
    """Shows how many of the calls behind a number of the personal page are in which context.

    Redirects to the list of calls if only one context has any.
    """
    assert isinstance(request.user, User)
    memberships, tokens = memberships_of(request.user), own_tokens(request.user)
    now = timezone.now()
    form = OwnCallsFilter(request.GET, user=request.user, memberships=memberships, tokens=tokens, now=now)
    context = _filters(request, form, "me") | {"memberships": memberships}
    if form.is_valid():
        found = own_calls(prepared_question(form.question(), now), form.which())
        if len(found.places) == 1:
            return redirect(found.places[0].href)
        context |= {"found": found}
    return render_page(request, "usage/statistics/me_calls.html", "usage-me-calls", context)


def me_file(request: HttpRequest) -> HttpResponse:
    """Returns the figures of the personal page as a CSV or JSON file."""
    assert isinstance(request.user, User)
    now = timezone.now()
    memberships, tokens = memberships_of(request.user), own_tokens(request.user)
    form = OwnFilter(request.GET, user=request.user, memberships=memberships, tokens=tokens, now=now)
    saved = ExportForm(request.GET)
    if not (form.is_valid() and saved.is_valid()):
        return _refused(form, saved)
    return own_export(own_page(form.question(), memberships, tokens, now, FULL), saved.cleaned_data["format"])


def _access(request: HttpRequest, slug: str, permission: Permission) -> Access:
    assert isinstance(request.user, User)
    return team_for(request.user, slug, permission)


def _frame(request: HttpRequest, access: Access, form: UsageFilter, nav: str) -> dict[str, Any]:
    """Returns the template context that every usage page of a team needs.

    It has the filters, the reader's access, and whether the reader may edit the team.
    """
    may_edit = access.may(Permission.EDIT_TEAM)
    return _filters(request, form, nav) | {"access": access, "may_edit": may_edit}


def _filters(request: HttpRequest, form: RangeFilter, nav: str) -> dict[str, Any]:
    """Returns the template context for the filters of a usage page.

    `clock` is the name of the time zone of all times on the page.
    """
    return {
        "nav": nav,
        "form": form,
        "clock": str(form.zone),
        "presets": PRESETS.items(),
        "period": form.period_shown,
        "range_from": request.GET.get("from", ""),
        "range_to": request.GET.get("to", ""),
    }


def _charts(
    request: HttpRequest, shown: Overview, notes: Sequence[Note] = (), behind: Behind | None = None
) -> dict[str, Any]:
    return {
        "behind": behind,
        "shows_figures": request.GET.get("figures") == "table",
        "trend": charts.trend(shown, marks_by_point(notes, shown.points), behind),
        "trend_summary": charts.trend_summary(shown),
        "success": charts.success(shown, behind),
        "latency": charts.latency(shown, behind),
        "sparks": charts.sparklines(shown),
        "point_style": "short" if shown.query.granularity is Granularity.HOUR else "day",
    }
