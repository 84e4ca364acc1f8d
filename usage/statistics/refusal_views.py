"""The page that lists refusals: how many calls each quota refused in each hour."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.http import render_page
from teams.access import Access, Permission
from teams.view_helpers import access_for
from usage.parameters.names import tokens_with
from usage.quotas.refusals import NamedRefused, named_hours, refused_hours, refused_in_all
from usage.rollups.query import PRESETS, UsageQuery
from usage.statistics.drill_down import CallsBehind
from usage.statistics.forms import RefusalFilter

PAGE = 50


@dataclass(frozen=True)
class RefusalsPage:
    """The data of the page of refusals: one row for each hour and quota that refused calls, newest first.

    `refused` is the total over all pages; None if it is not known, because the page is filtered by model.
    """

    query: UsageQuery
    refused: int | None
    rows: list[NamedRefused]
    paged: Page[Any]


def refusals(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows how many calls each quota refused in each hour.

    A member sees only the refusals by the quotas of their own and of their tokens.
    """
    access = access_for(request, slug, Permission.SEE_OWN)
    form = RefusalFilter(request.GET, access=access, now=timezone.now())
    context = {
        "access": access,
        "nav": "overview",
        "form": form,
        "clock": str(form.zone),
        "presets": PRESETS.items(),
        "period": form.period_shown,
        "may_adjust": access.may(Permission.SET_QUOTAS),
        "behind": CallsBehind(access.team, request.GET),
    }
    if form.is_valid():
        context |= {"page": _page(access, form)}
    return render_page(request, "usage/statistics/refusals.html", "usage-refusals", context)


def _page(access: Access, form: RefusalFilter) -> RefusalsPage:
    query = form.query()
    tokens = tokens_with(access.team, query.tokens, of_members=query.members)
    own = [pk for pk, one in tokens.items() if one.user_id in query.members]
    rows = refused_hours(query, own, form.level_asked)
    paged = Paginator(rows, PAGE).get_page(form.cleaned_data["page"] or 1)
    total = refused_in_all(query, [rows.aggregate(refused=Sum("refused"))["refused"] or 0])
    return RefusalsPage(query, total, named_hours(access.team, paged), paged)
