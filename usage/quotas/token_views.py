"""Views that create a token with a limit, and that show and set the quota of one token."""

from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.http import render_page, wants_part
from teams.access import Access, Permission, may_limit_token
from teams.activity import actor_of
from teams.forms.tokens import TokenForm
from teams.models import Membership, Mode, Token
from teams.pages.tokens import ShownSecret, token_of, tokens_page
from teams.view_helpers import access_for, run_form_action
from usage.quotas.actions.limits import set_token_quota
from usage.quotas.actions.tokens import create_limited_token
from usage.quotas.availability import token_levels
from usage.quotas.forms import LimitForm, NewTokenLimitForm, limit_initial
from usage.quotas.levels import LevelState
from usage.quotas.runout import sentences_now


@require_POST
@never_cache
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """Creates a token for the signed-in user, optionally with a limit, and shows its secret once."""
    access = access_for(request, slug, Permission.SEE_OWN)
    form, limit_form = TokenForm(request.POST), NewTokenLimitForm(request.POST)
    if form.is_valid() & limit_form.is_valid():  # `&` validates both, so that both show their errors
        now = timezone.now()
        made = run_form_action(
            form,
            create_limited_token,
            by=actor_of(request),
            team=access.team,
            user=access.user,
            name=form.cleaned_data["name"],
            mode=Mode(form.cleaned_data["mode"]),
            models=form.cleaned_data["models"],
            expires_at=form.expires_at(now),
            limit=limit_form.wanted(),
            now=now,
        )
        if made:
            return tokens_page(request, access, shown=ShownSecret(made[1], made[0], access.team, True))
    return tokens_page(request, access, 422, token_form=form, limit_form=limit_form)


def editor(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Shows and sets the quota of one token: as a table row for htmx, otherwise as a page of its own."""
    access = access_for(request, slug, Permission.SEE_OWN)
    token = token_of(access, token_id)
    now = timezone.now()
    state = _state(token, now)
    may_change = _may_change(access, token, state)
    form = LimitForm(
        request.POST if request.method == "POST" else None,
        initial=limit_initial(state),
        auto_id=f"id_{token.public_id}_%s",
    )
    if request.method == "POST" and form.is_valid():
        wanted = {"limit": form.wanted(), "note": form.cleaned_data["note"], "now": now}
        run_form_action(form, set_token_quota, by=actor_of(request), token=token, **wanted)
        if not form.errors:
            return _saved(request, access, token, now)
    context = {
        "access": access,
        "nav": "tokens",
        "token": token,
        "form": form,
        "state": state,
        "sentences": sentences_now(state, token.mode, now),
        "is_final": not may_change,
        "is_open": "close" not in request.GET,
    }
    status = 422 if form.errors else 200
    return render_page(request, "usage/quotas/token_editor.html", "usage-token-editor", context, status)


def _may_change(access: Access, token: Token, state: LevelState) -> bool:
    """Returns whether the user may change the limit again after it was set. A member may set their token's
    limit only once.

    Raises PermissionDenied if the action would refuse already now, so that nobody fills in the form in vain.
    """
    holders = Membership.objects.filter(team=access.team, user=token.user).values_list("role", flat=True)
    asked = (access.role, holders.first())
    is_own, is_limited = token.user == access.user, state.limit_nanos is not None
    if not may_limit_token(*asked, is_own=is_own, is_limited=is_limited):
        raise PermissionDenied
    return may_limit_token(*asked, is_own=is_own, is_limited=True)


def _saved(request: HttpRequest, access: Access, token: Token, now: datetime) -> HttpResponse:
    """Redirects to the page of tokens. For htmx, returns the updated table cell, which replaces the editor."""
    done = _("Saved the quota of “%(token)s”.") % {"token": token.name}
    if not wants_part(request):
        messages.success(request, done)
        return redirect("teams:tokens", access.team.slug)
    context = {"token": token, "state": _state(token, now), "done": done}
    return render(request, "usage/quotas/_token_saved.html", context)


def _state(token: Token, now: datetime) -> LevelState:
    return token_levels(token.team, token.mode, [token.pk], now)[token.pk]
