"""Views that show and set quotas: the quota page of a team, and the editor of one member."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from config.http import render_page, wants_part
from teams.access import Access, Permission, may_change_role, may_limit
from teams.activity import actor_of
from teams.models import Membership, Mode, Role
from teams.pages.activity import activity_page, team_activity
from teams.view_helpers import access_for, run_form_action
from usage.prices.money import usd_string
from usage.quotas.actions.limits import set_member_quotas, set_team_quota
from usage.quotas.actions.members import edit_member
from usage.quotas.actions.unpriced import set_unpriced_reserve, unpriced_reserve_of
from usage.quotas.allotment import allotment
from usage.quotas.availability import Subject, levels_of, member_levels, payer_of
from usage.quotas.forms import LimitForm, MemberForm, UnpricedReserveForm, limit_initial
from usage.quotas.models import Level
from usage.quotas.runout import sentences_now

# The pages on which a member's editor can be opened; without JavaScript it redirects back there.
BACK = {"ranking": "usage:ranking", "members": "teams:members", "quotas": "usage:quotas"}
_HISTORY = 20


def member_editor(request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
    """Shows and sets the quota and role of one member: as a table row for htmx, otherwise as a page of its own."""
    access = access_for(request, slug, Permission.SET_QUOTAS)
    people = Membership.objects.select_related("user", "team")
    member = get_object_or_404(people, team=access.team, user__public_id=user_id)
    now = timezone.now()
    state = member_levels(access.team, Mode.LIVE, [member.user_id], now)[member.user_id]
    form = _member_form(request, access, member, limit_initial(state))
    if request.method == "POST" and form.is_valid():
        person = {"by": actor_of(request), "team": access.team, "user": member.user, "now": now}
        run_form_action(form, edit_member, change=form.change(), **person)
        if not form.errors:
            return _saved(request, access, member, now)
    context = {
        "access": access,
        "nav": "members",
        "member": member,
        "form": form,
        "state": state,
        "sentences": sentences_now(state, Mode.LIVE, now),
        "back": _back(request),
        "is_open": "close" not in request.GET,
    }
    status = 422 if form.errors else 200
    return render_page(request, "usage/quotas/member_editor.html", "usage-member-editor", context, status)


def _member_form(
    request: HttpRequest, access: Access, member: Membership, initial: dict[str, Any]
) -> MemberForm:
    """Returns the form with the fields that the user may change. Raises PermissionDenied if there are none."""
    roles = [
        role
        for role in (Role.MEMBER.value, Role.ADMINISTRATOR.value)
        if may_change_role(access.role, member.role, role)
    ]
    limits = may_limit(access.role, member.role) and not access.team.is_personal
    if not limits and not roles:
        raise PermissionDenied
    return MemberForm(
        request.POST if request.method == "POST" else None,
        initial=initial | {"role": member.role},
        auto_id=f"id_{member.user.public_id}_%s",
        may_limit=limits,
        roles=roles,
    )


def _saved(request: HttpRequest, access: Access, member: Membership, now: datetime) -> HttpResponse:
    """Redirects to the page that the editor was opened from. For htmx, returns the updated cells of the table
    row.
    """
    done = _("Saved the changes to %(person)s.") % {"person": member.user.label}
    if not wants_part(request):
        messages.success(request, done)
        return redirect(BACK[_back(request)], access.team.slug)
    member.refresh_from_db()
    states = member_levels(access.team, Mode.LIVE, [member.user_id], now)
    context = {"access": access, "member": member, "state": states[member.user_id], "done": done}
    return render(request, "usage/quotas/_member_saved.html", context)


def _back(request: HttpRequest) -> str:
    back = request.GET.get("back", "")
    return back if back in BACK else "members"


def quotas(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows how a team's quota is distributed to its members, and recent changes."""
    return _quotas_page(request, access_for(request, slug, Permission.SEE_TEAM))


@require_POST
def set_team(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets the quota of the whole team."""
    access = access_for(request, slug, Permission.OWN_TEAM)
    form = _team_form(access, request.POST)
    if form.is_valid():
        wanted = {"limit": form.wanted(), "note": form.cleaned_data["note"], "now": timezone.now()}
        run_form_action(form, set_team_quota, by=actor_of(request), team=access.team, **wanted)
    if form.errors:
        return _quotas_page(request, access, team_form=form)
    messages.success(request, _("The team's quota was saved."))
    return redirect("usage:quotas", slug)


@require_POST
def set_members(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets the same quota for several members at once."""
    access = access_for(request, slug, Permission.SET_QUOTAS)
    form = LimitForm(request.POST, prefix="members")
    chosen = Membership.objects.filter(team=access.team, user__public_id__in=request.POST.getlist("member"))
    people = [member.user for member in chosen.select_related("user")]
    if form.is_valid() and not people:
        form.add_error(None, _("Select at least one member."))
    if form.is_valid():
        limits = [(person, form.wanted()) for person in people]
        wanted = {"limits": limits, "note": form.cleaned_data["note"], "now": timezone.now()}
        run_form_action(form, set_member_quotas, by=actor_of(request), team=access.team, **wanted)
    if form.errors:
        return _quotas_page(request, access, members_form=form)
    done = ngettext(
        "The quota of one member was saved.", "The quotas of %(n)d members were saved.", len(people)
    )
    messages.success(request, done % {"n": len(people)})
    return redirect("usage:quotas", slug)


@require_POST
def set_unpriced(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets how much is reserved for a call without a price."""
    access = access_for(request, slug, Permission.SET_QUOTAS)
    form = UnpricedReserveForm(request.POST)
    if form.is_valid():
        amount = {"usd": form.cleaned_data["amount"]}
        run_form_action(form, set_unpriced_reserve, by=actor_of(request), team=access.team, **amount)
    if form.errors:
        return _quotas_page(request, access, unpriced_form=form)
    messages.success(request, _("What is reserved for a call without a price was saved."))
    return redirect("usage:quotas", slug)


def _quotas_page(
    request: HttpRequest,
    access: Access,
    *,
    team_form: LimitForm | None = None,
    members_form: LimitForm | None = None,
    unpriced_form: UnpricedReserveForm | None = None,
) -> HttpResponse:
    now = timezone.now()
    mode = Mode.TEST if request.GET.get("mode") == "test" else Mode.LIVE
    shown = allotment(access, mode, now)
    history = activity_page(team_activity(access.team, "quota")).lines[:_HISTORY]
    context = {
        "access": access,
        "nav": "quotas",
        "shown": shown,
        "team_form": team_form or (_team_form(access) if access.may(Permission.OWN_TEAM) else None),
        "members_form": members_form or LimitForm(prefix="members"),
        "unpriced_form": unpriced_form or _unpriced_form(access),
        "chosen": request.POST.getlist("member"),
        "history": history,
    }
    status = 422 if team_form or members_form or unpriced_form else 200
    return render_page(request, "usage/quotas/quotas.html", "usage-quotas", context, status)


def _team_form(access: Access, data: QueryDict | None = None) -> LimitForm:
    """Returns the form of the team's quota, with its current limit."""
    levels = levels_of(Subject(access.team, payer_of(access.team), Mode.LIVE), timezone.now())
    (own,) = (state for state in levels if state.level == Level.TEAM)
    return LimitForm(data, initial=limit_initial(own), prefix="team")


def _unpriced_form(access: Access) -> UnpricedReserveForm:
    return UnpricedReserveForm(initial={"amount": usd_string(unpriced_reserve_of(access.team))})
