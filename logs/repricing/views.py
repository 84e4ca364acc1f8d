"""The prices page, for site staff. Superusers can set prices on it and price calls again."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from config.formatting import money
from logs.repricing.forms import PriceAgainForm, rest_of_run
from logs.repricing.in_use import models_called, models_in_use
from logs.repricing.price_again import Repriced, price_again
from teams.admin.base import staff_of
from teams.view_helpers import run_form_action
from usage.prices.actions import create_price
from usage.prices.forms import PriceForm
from usage.prices.zero_reports import DAYS, first_day

PER_PAGE = 50


def prices(request: HttpRequest) -> HttpResponse:
    """Shows the models in use with their prices."""
    return _page(request)


@require_POST
def set_price(request: HttpRequest) -> HttpResponse:
    """Sets the site's price of a model, from the form in the model's row."""
    form = PriceForm(request.POST)
    if form.is_valid():
        run_form_action(form, create_price, by=staff_of(request), price=form.instance)
    if form.errors:
        return _page(request, price_form=form)
    messages.success(request, _("The price of %(model)s was set.") % {"model": form.instance.model})
    return redirect("logs:prices")


@require_POST
def reprice(request: HttpRequest) -> HttpResponse:
    """Prices the unpriced calls of a period again. After the time limit, the form offers to continue."""
    form = PriceAgainForm(request.POST)
    if not form.is_valid():
        return _page(request, again_form=form)
    data = form.cleaned_data
    asked: dict[str, Any] = {"within": form.within(), "model": data["model"], "since": data["after"]}
    done = run_form_action(form, price_again, by=staff_of(request), now=timezone.now(), **asked)
    if form.errors:
        return _page(request, again_form=form)
    messages.success(request, _told(done))
    if done.rest is None:
        return redirect("logs:prices")
    messages.warning(request, _("Not all calls were looked at yet: press the button again to go on."))
    rest = data | {"after": rest_of_run(done.rest)}
    return _page(request, again_form=PriceAgainForm(initial=rest), status=200)


def _told(done: Repriced) -> str:
    words = ngettext(
        "One call was priced: %(usd)s.", "%(calls)d calls were priced: %(usd)s together.", done.calls
    )
    return words % {"calls": done.calls, "usd": money(done.cost_nanos)}


def _page(
    request: HttpRequest,
    *,
    price_form: PriceForm | None = None,
    again_form: PriceAgainForm | None = None,
    status: int = 422,
) -> HttpResponse:
    if not request.user.has_perm("usage.view_price"):
        raise PermissionDenied
    now = timezone.now()
    page = Paginator(models_called(now.date()), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": _("Prices"),
        "page": page,
        "models": models_in_use(list(page), now),
        "days": DAYS,
        "may_set": request.user.has_perm("usage.add_price"),
        "price_form": price_form,
        "valid_from": first_day(now.date()),
        "again_form": again_form or _again_form(request, now),
    }
    is_refused = price_form or again_form
    return render(request, "logs/repricing/prices.html", context, status=status if is_refused else 200)


def _again_form(request: HttpRequest, now: datetime) -> PriceAgainForm:
    """Returns the unbound form: the last 30 days, and the model in the URL's query string."""
    days = {"since": first_day(now.date()), "until": now.date()}
    return PriceAgainForm(initial={**days, "model": request.GET.get("model", "")})
