"""Views of the account pages and the start page."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from config.list_filters import OlderForm
from teams.actions.users import rename_user
from teams.activity import actor_of
from teams.forms.account import ProfileForm
from teams.last_team import last_team
from teams.models import Membership, User, team_is_alive
from teams.pages.activity import account_activity, activity_page
from teams.view_helpers import signed_in_user


def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the overview of the team that the user viewed last, else to their own usage."""
    assert isinstance(request.user, User)
    slug = last_team(request)
    is_open = Membership.objects.filter(team_is_alive(), user=request.user, team__slug=slug).exists()
    return redirect("usage:overview", slug) if slug and is_open else redirect("usage:me")


def profile(request: HttpRequest) -> HttpResponse:
    """Shows the profile page and changes the user's name.

    The other account pages are those of django-allauth.
    """
    assert isinstance(request.user, User)
    form = ProfileForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        rename_user(by=actor_of(request), user=request.user, name=form.cleaned_data["name"])
        messages.success(request, _("Your name was changed."))
        return redirect("teams:profile")
    return render(request, "teams/profile.html", {"form": form}, status=422 if form.errors else 200)


def activity(request: HttpRequest) -> HttpResponse:
    """Shows the changes of the user's account, with times in the time zone of their personal space."""
    user = signed_in_user(request)
    form = OlderForm(request.GET)
    context: dict[str, Any] = {"form": form, "zone": user.owned_teams.get(is_personal=True).zone}
    if form.is_valid():
        before = form.cleaned_data["before"]
        page = activity_page(account_activity(user), before)
        context |= {
            "lines": page.lines,
            "older": page.older,
            "is_first": before is None,
        }
    return render(request, "teams/account_activity.html", context)
