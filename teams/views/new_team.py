"""View of the page for a new team."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from teams.actions.teams import create_team
from teams.activity import actor_of
from teams.forms.team import TeamForm
from teams.view_helpers import run_form_action, signed_in_user


def new_team(request: HttpRequest) -> HttpResponse:
    """Shows the form for a new team, and creates the team with the user as owner."""
    user = signed_in_user(request)
    form = TeamForm(request.POST or None, initial={"time_zone": settings.TIME_ZONE})
    if request.method == "POST" and form.is_valid():
        team = run_form_action(form, create_team, by=actor_of(request), owner=user, **form.cleaned_data)
        if team:
            messages.success(
                request, _("%(team)s was created. Invite people, or create a token.") % {"team": team.name}
            )
            return redirect("usage:overview", team.slug)
    return render(request, "teams/new.html", {"form": form}, status=422 if form.errors else 200)
