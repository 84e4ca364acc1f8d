"""The usage pages: access, form, statistics, answer."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.http import render_page
from teams.access import Access, Permission, memberships_of, team_for
from teams.models import Mode, User
from usage import charts
from usage.contexts import own_contexts
from usage.drill import CallsBehind
from usage.exports import overview_export, ranking_export
from usage.forms import DEFAULT_PERIOD, OWN_DAYS, ExportForm, OwnFilter, RankingFilter, UsageFilter
from usage.own import own_usage
from usage.pages import overview_page
from usage.people import own_tokens
from usage.query import PRESETS, Granularity
from usage.ranking import COLUMNS, PLURALS, ranking_page, ranking_rows
from usage.snippets import first_call
from usage.statistics import Overview
from usage.unusual.shown import Note, marks_by_point


def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """How a team is doing: totals, charts, models, ranking; a member sees their own part of it."""
    access = _access(request, slug, Permission.SEE_OWN)
    now = timezone.now()
    form = UsageFilter(request.GET, access=access, now=now)
    context = _frame(request, access, form, "overview")
    if form.is_valid():
        page = overview_page(form.query(), access, now)
        behind = CallsBehind(access.team, request.GET)
        context |= {"page": page, **_charts(request, page.overview, page.unusual.notes, behind)}
        if page.never_called:
            context |= {"first_call": first_call(settings.BASE_URL, now)}
    return render_page(request, "usage/overview.html", "usage-overview", context)


def overview_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The overview's figures to save."""
    access = _access(request, slug, Permission.SEE_OWN)
    now = timezone.now()
    form, saved = UsageFilter(request.GET, access=access, now=now), ExportForm(request.GET)
    if not (form.is_valid() and saved.is_valid()):
        return _refused(form, saved)
    return overview_export(overview_page(form.query(), access, now), saved.cleaned_data["format"])


def ranking(request: HttpRequest, slug: str) -> HttpResponse:
    """Members, tokens or models by any of their figures, with what changed since the period before."""
    access = _access(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    form = RankingFilter(request.GET, access=access, now=now)
    context = _frame(request, access, form, "ranking") | {"columns": COLUMNS, "bys": PLURALS.items()}
    if form.is_valid():
        context |= {"page": ranking_page(form.query(), form.order_asked(), access, now)}
    return render_page(request, "usage/ranking.html", "usage-ranking", context)


def ranking_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The whole ranking to save."""
    access = _access(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    form, saved = RankingFilter(request.GET, access=access, now=now), ExportForm(request.GET)
    if not (form.is_valid() and saved.is_valid()):
        return _refused(form, saved)
    query, order = form.query(), form.order_asked()
    rows = ranking_rows(query, order, access, now)
    return ranking_export(query, rows, order.by, saved.cleaned_data["format"])


def _refused(*forms: Form) -> HttpResponse:
    """What is wrong with the address of a file, in words; nobody types these."""
    messages = [message for form in forms for errors in form.errors.values() for message in errors]
    return HttpResponse("\n".join(map(str, messages)), status=400, content_type="text/plain; charset=utf-8")


def me(request: HttpRequest) -> HttpResponse:
    """One's own usage, in every context together and apart."""
    assert isinstance(request.user, User)
    memberships = memberships_of(request.user)
    days = OwnFilter(request.GET).days_back()
    mode = Mode.TEST if request.GET.get("mode") == "test" else Mode.LIVE
    now = timezone.now()
    own = own_usage(request.user, memberships, mode, days=days, now=now)
    context = {
        "nav": "me",
        "own": own,
        "contexts_shown": list(zip(own.contexts, own_contexts(request.user, mode, now), strict=True)),
        "days": days,
        "day_choices": OWN_DAYS,
        "memberships": memberships,
        "tokens": own_tokens(request.user),
        "now": now,
        "personal": {"team": memberships[0].team},
        **_charts(request, own.overview),
    }
    return render_page(request, "usage/me.html", "usage-me", context)


def _access(request: HttpRequest, slug: str, permission: Permission) -> Access:
    assert isinstance(request.user, User)
    return team_for(request.user, slug, permission)


def _frame(request: HttpRequest, access: Access, form: UsageFilter, nav: str) -> dict[str, Any]:
    """What the frame and the filters of a usage page need."""
    asked = request.GET
    return {
        "access": access,
        "may_edit": access.may(Permission.EDIT_TEAM),
        "nav": nav,
        "form": form,
        "presets": PRESETS.items(),
        "period": "custom" if "from" in asked else asked.get("period", DEFAULT_PERIOD),
        "range_from": asked.get("from", ""),
        "range_to": asked.get("to", ""),
    }


def _charts(
    request: HttpRequest, shown: Overview, notes: Sequence[Note] = (), behind: CallsBehind | None = None
) -> dict[str, Any]:
    return {
        "shows_figures": request.GET.get("figures") == "table",
        "trend": charts.trend(shown, marks_by_point(notes, shown.points), behind),
        "trend_summary": charts.trend_summary(shown),
        "success": charts.success(shown, behind),
        "latency": charts.latency(shown, behind),
        "sparks": charts.sparklines(shown),
        "point_style": "short" if shown.query.granularity is Granularity.HOUR else "day",
    }
