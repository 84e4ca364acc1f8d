"""The pages of the logs: access, form, search, answer."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from config.http import render_page
from logs.chips import CHOOSABLE, chips_of
from logs.choices import choices_of
from logs.detail import detail_of
from logs.exports import FORMATS, export_response
from logs.filters import SORTS, CallFilter
from logs.models import Call
from logs.pages import calls_page, neighbours
from teams.access import Access, Permission, team_for
from teams.models import User
from usage.forms import DEFAULT_PERIOD
from usage.query import PRESETS


def calls(request: HttpRequest, slug: str) -> HttpResponse:
    """The calls of a team that meet the filters; a member's own."""
    access = _access(request, slug)
    form = CallFilter(request.GET, access=access, now=timezone.now())
    context = _frame(request, access, form)
    if form.is_valid():
        page = calls_page(form)
        context |= {"page": page, "chips": chips_of(form, page.query, request.GET)}
    return render_page(request, "logs/list.html", "logs-calls", context)


def call(request: HttpRequest, slug: str, call_id: UUID) -> HttpResponse:
    """One call, in the drawer of the list or as a page."""
    access = _access(request, slug)
    found = get_object_or_404(_visible(access), id=call_id)
    form = CallFilter(request.GET, access=access, now=timezone.now())
    context = _frame(request, access, form) | {
        "detail": detail_of(found, access),
    }
    if form.is_valid():
        newer, older = neighbours(form.call_query(), found)
        context |= {"newer": newer.ids[0] if newer.ids else None, "older": older.ids[0] if older.ids else None}
    return render_page(request, "logs/call.html", "call-detail", context)


def choices(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What a filter can be set to, loaded when its chip is opened."""
    access = _access(request, slug)
    if name not in CHOOSABLE or (name == "member" and not access.sees_team):
        raise Http404("No such filter")
    form = CallFilter(request.GET, access=access, now=timezone.now())
    search = request.GET.get("q", "")[:100]
    context = _frame(request, access, form) | {"name": name, "label": CHOOSABLE[name], "search": search}
    context |= {"chosen": request.GET.getlist(name), "part": f"choices-{name}"}
    if form.is_valid():
        context |= {"found": choices_of(name, form.call_query(), search)}
    return render_page(request, "logs/choices.html", "logs-choices", context)


def export(request: HttpRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """All calls that meet the filters, as a file that is written while it is read."""
    access = _access(request, slug)
    form = CallFilter(request.GET, access=access, now=timezone.now())
    if not form.is_valid():
        return render(request, "logs/list.html", _frame(request, access, form), status=422)
    kind = request.GET.get("format", "csv")
    if kind not in FORMATS:
        raise Http404("No such format")
    return export_response(form.call_query(), kind)


def _access(request: HttpRequest, slug: str) -> Access:
    assert isinstance(request.user, User)
    return team_for(request.user, slug, Permission.SEE_OWN)


def _visible(access: Access) -> Any:
    """The calls of the team that this person may see."""
    calls = Call.objects.filter(team_id=access.team.pk)
    return calls if access.sees_team else calls.filter(member_id=access.user.pk)


def _frame(request: HttpRequest, access: Access, form: CallFilter) -> dict[str, Any]:
    """What the frame and the filters need."""
    asked = request.GET
    return {
        "access": access,
        "nav": "logs",
        "form": form,
        "presets": PRESETS.items(),
        "sorts": SORTS.items(),
        "period": "custom" if "from" in asked else asked.get("period", DEFAULT_PERIOD),
        "list_query": _query(asked),
    }


def _query(asked: Any) -> str:
    """The query of this page for links to its calls and back, without what only the filter's menu sends."""
    kept = asked.copy()
    kept.pop("q", None)
    return f"?{kept.urlencode()}" if kept else ""
