"""The views of the logs. Each checks access, reads the form, runs the search and renders the response."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from config.http import render_page
from logs.browsing import actions, charts
from logs.browsing.chips import chips_of
from logs.browsing.detail import detail_of
from logs.browsing.exports import FORMATS, export_response
from logs.browsing.latency_panel import latency_of
from logs.browsing.narrowing import Narrowing
from logs.browsing.pages import calls_page, neighbours
from logs.browsing.saved_views import list_saved, saved_for
from logs.browsing.tail import Known, followed_page, tail_of
from logs.models import Call
from logs.search.choices import choices_of
from logs.search.filters import CallFilterSet, TailFilterSet
from logs.search.forms import SORTS, MenuForm, SavedViewForm
from teams.access import Access, Permission
from teams.activity import actor_of
from teams.models import Mode
from teams.view_helpers import access_for, run_action
from usage.rollups.query import PRESETS

# The error message for each invalid field of a view to save.
_REFUSED = {
    "name": _lazy("Enter a name of at most 80 characters."),
    "query": _lazy("These filters cannot be saved: there are too many, or they contain invalid text."),
}


def calls(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the team's calls that match the filters; members see only their own calls.

    If the request ID of a stored call in this mode is searched for, redirects to the page of that call.
    """
    access = access_for(request, slug, Permission.SEE_OWN)
    now = timezone.now()
    filters = CallFilterSet(request.GET, access=access, now=now)
    form, context = filters.form, _frame(request, access, filters)
    if filters.is_valid():
        named = _named(access, filters)
        if named and named.mode == form.mode_asked:
            return _to(request, _address_of(named, access))
        context["in_other_mode"] = _address_of(named, access) if named else ""
        page, known = followed_page(filters, now) if form.is_live else (calls_page(filters), None)
        context |= {"page": page, "chips": chips_of(filters, request.GET)}
        context |= {"views": list_saved(access), "known": known, "is_live": form.is_live}
    return render_page(request, "logs/browsing/list.html", "logs-calls", context)


def call(request: HttpRequest, slug: str, call_id: UUID) -> HttpResponse:
    """Shows one call, in the drawer of the list or as a page."""
    access = access_for(request, slug, Permission.SEE_OWN)
    found = _visible(access).filter(id=call_id).first()
    if found is None:  # there is no such call, it was deleted, or it is another member's: all get the same page
        context = {"access": access, "days": settings.CALL_RETENTION_DAYS}
        return render(request, "logs/browsing/no_call.html", context, status=404)
    filters = CallFilterSet(request.GET, access=access, now=timezone.now())
    context = _frame(request, access, filters) | {
        "detail": detail_of(found, access),
        "share_url": request.build_absolute_uri(_address_of(found, access)),
    }
    if filters.is_valid():
        context["newer"], context["older"] = neighbours(filters.qs, found)
    return render_page(request, "logs/browsing/call.html", "call-detail", context)


def choices(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Shows the values of a filter to choose from; loaded when its chip is opened."""
    access = access_for(request, slug, Permission.SEE_OWN)
    one = CallFilterSet.base_filters.get(name)
    if one is None or one.choices is None or (one.is_for_team and not access.sees_team):
        raise Http404("No such filter")
    menu = MenuForm(request.GET, name=name)
    menu.full_clean()
    filters = CallFilterSet(menu.filters, access=access, now=timezone.now())
    search, chosen = menu.cleaned_data["q"], menu.chosen
    context = _frame(request, access, filters) | {"name": name, "label": one.label, "search": search}
    context |= {"chosen": chosen, "part": f"choices-{name}", "place": reverse(menu.place, args=[slug])}
    if filters.is_valid():
        found = choices_of(one, filters.qs, search)
        listed = {one.value for one in found.choices}
        # Values that are already chosen stay chosen when other values are searched for.
        context |= {"found": found, "unlisted": [one for one in chosen if one not in listed]}
    return render_page(request, "logs/browsing/choices.html", "logs-choices", context)


def export(request: HttpRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """Streams all calls that match the filters as a file."""
    access = access_for(request, slug, Permission.SEE_OWN)
    filters = CallFilterSet(request.GET, access=access, now=timezone.now())
    if not filters.is_valid():
        return render(request, "logs/browsing/list.html", _frame(request, access, filters), status=422)
    kind = request.GET.get("format", "csv")
    if kind not in FORMATS:
        raise Http404("No such format")
    return export_response(filters.qs, kind)


def latency(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the latency panel of a list, which the page loads after the list."""
    access = access_for(request, slug, Permission.SEE_OWN)
    filters = CallFilterSet(request.GET, access=access, now=timezone.now())
    context = _frame(request, access, filters)
    if filters.is_valid():
        query = filters.qs
        seen = latency_of(query)
        narrow = Narrowing(reverse("logs:list", args=[slug]), request.GET, query)
        context |= {
            "seen": seen,
            "bars": [(bar, charts.label(bar), narrow.to(bar)) for bar in seen.bars],
            "models": [(model, one, narrow.to_model(model, one)) for model, one in seen.by_model],
            "bars_chart": charts.latency_bars(seen, narrow.to),
            "lines_chart": charts.latency_lines(seen, query.usage, narrow.to_bucket),
        }
    return render_page(request, "logs/browsing/latency.html", "logs-latency", context)


def tail(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the calls that arrived since the browser last asked, as HTML for a live list; 204 if there are
    none.
    """
    access = access_for(request, slug, Permission.SEE_OWN)
    now = timezone.now()
    filters = TailFilterSet(request.GET, access=access, now=now)
    if not filters.is_valid():
        return HttpResponse(status=400)
    asked = filters.form.cleaned_data
    known = Known.read(asked["since"] or now, asked["known"])
    found = tail_of(filters.qs, known, now)
    if found.known == known:
        return HttpResponse(status=204)
    context = _frame(request, access, filters) | {"tail": found, "calls": found.calls, "known": found.known}
    context["added"] = (asked["added"] or 0) + len(found.calls)
    return render(request, "logs/browsing/tail.html", context)


@require_POST
def save_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Saves the filters of the list under a name and redirects to the list."""
    access = access_for(request, slug, Permission.SEE_OWN)
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, _REFUSED.get(name, str(errors[0])))
        return redirect("logs:list", slug)
    asked = form.cleaned_data
    run_action(
        request, _("The view was saved."), actions.save_view, by=actor_of(request), team=access.team, **asked
    )
    query = asked["query"]
    return redirect(reverse("logs:list", args=[slug]) + (f"?{query}" if query else ""))


@require_POST
def delete_view(request: HttpRequest, slug: str, view_id: str) -> HttpResponse:
    """Deletes a saved view that the user can open and redirects to the list."""
    access = access_for(request, slug, Permission.SEE_OWN)
    view = get_object_or_404(saved_for(access), public_id=view_id)
    run_action(request, _("The view was deleted."), actions.delete_view, by=actor_of(request), view=view)
    return redirect("logs:list", slug)


def _named(access: Access, filters: CallFilterSet) -> Call | None:
    """Returns the call with the request ID that is searched for, if the user may see it; preferably in the mode
    of the page.

    Leading and trailing blanks may be part of the ID, or may have been copied along with it, so both are tried.
    """
    request_id = filters.qs.value("request_id")
    if not request_id:
        return None
    names, mode = [request_id, request_id.strip()], filters.form.mode_asked
    # All modes are named, so that the database can use the index of team, mode and request ID.
    calls: Iterable[Call] = _visible(access).filter(mode__in=Mode.values, request_id__in=names)
    return min(calls, key=lambda call: (call.mode != mode, call.request_id != request_id), default=None)


def _address_of(call: Call, access: Access) -> str:
    """Returns the URL of a call's page. In test mode it has the parameter `mode`, because the neighbouring
    calls would otherwise be those of the live mode.
    """
    in_test = {"mode": "test"} if call.mode == Mode.TEST else {}
    return f"{reverse('logs:detail', args=[access.team.slug, call.id])}?{urlencode(in_test)}".rstrip("?")


def _to(request: HttpRequest, address: str) -> HttpResponse:
    """Redirects the browser to another page. Requests by htmx need a redirect of their own: it would put the
    other page into the current one.
    """
    return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)


def _visible(access: Access) -> Any:
    """Returns the calls of the team that this user may see."""
    calls = Call.objects.filter(team_id=access.team.pk)
    return calls if access.sees_team else calls.filter(member_id=access.user.pk)


def _frame(request: HttpRequest, access: Access, filters: CallFilterSet) -> dict[str, Any]:
    """Returns the template context that all pages of the logs share: navigation and filters."""
    return {
        "access": access,
        "nav": "logs",
        "form": filters.form,
        "presets": PRESETS.items(),
        "sorts": SORTS.items(),
        "period": filters.form.period_shown,
        "list_query": _query(request.GET),
    }


def _query(asked: Any) -> str:
    """Returns the query string for links to single calls and back to the list, without the parameters of the
    filter menu.
    """
    kept = asked.copy()
    for name in ("q", "since", "known", "added", "for", "chosen", "picked"):
        kept.pop(name, None)
    return f"?{kept.urlencode()}" if kept else ""
