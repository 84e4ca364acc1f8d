"""Views of a team's settings page: show and change settings, leave the team, delete it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from teams.access import Permission
from teams.actions.members import leave_team
from teams.actions.teams import delete_team, update_team
from teams.activity import actor_of
from teams.forms.team import DeleteForm, TeamForm
from teams.pages.settings import settings_page
from teams.view_helpers import access_for, run_action, run_form_action


def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the settings page. Each role sees the settings that it may change."""
    return settings_page(request, access_for(request, slug, Permission.SEE_OWN))


@require_POST
def update(request: HttpRequest, slug: str) -> HttpResponse:
    """Changes the name, description and time zone of the team."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    form = TeamForm(request.POST, initial={"time_zone": access.team.time_zone})
    if form.is_valid() and run_form_action(
        form, update_team, by=actor_of(request), team=access.team, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect("teams:settings", slug)
    return settings_page(request, access, 422, general_form=form)


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Removes the user from the team."""
    access = access_for(request, slug, Permission.SEE_OWN)
    done = _("You left %(team)s. Your tokens for this team no longer work.") % {"team": access.team.name}
    left = run_action(request, done, leave_team, by=actor_of(request), team=access.team, now=timezone.now())
    return redirect("home") if left else redirect("teams:settings", slug)


@require_POST
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Deletes the team, if its name was typed correctly to confirm."""
    access = access_for(request, slug, Permission.OWN_TEAM)
    form = DeleteForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data["typed_name"]
        run_form_action(
            form, delete_team, by=actor_of(request), team=access.team, typed_name=typed, now=timezone.now()
        )
    if form.errors:
        return settings_page(request, access, 422, delete_form=form)
    messages.success(request, _("%(team)s was deleted.") % {"team": access.team.name})
    return redirect("home")
