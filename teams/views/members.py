"""Views of the members page."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.http import render_page
from teams.access import Access, Permission
from teams.actions.members import change_role, remove_member
from teams.activity import actor_of
from teams.forms.members import RoleForm
from teams.models import Activity, User
from teams.pages.members import list_members, member_filters
from teams.view_helpers import access_for, run_action


def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the members of a team that match the filters."""
    access = access_for(request, slug, Permission.MANAGE_MEMBERS)
    filters = member_filters(access, request.GET)
    context = {
        "access": access,
        "nav": "members",
        "form": filters.form,
        "member_list": list_members(access, filters) if filters.is_valid() else None,
    }
    return render_page(request, "teams/members.html", "teams-members", context)


@require_POST
def change(request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
    """Changes the role of a member."""
    access = access_for(request, slug, Permission.MANAGE_MEMBERS)
    user = _person(access, user_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose administrator or member."))
        return redirect("teams:members", slug)
    run_action(
        request,
        _("The role of %(person)s was changed.") % {"person": user.label},
        change_role,
        by=actor_of(request),
        team=access.team,
        user=user,
        role=form.cleaned_data["role"],
        now=timezone.now(),
    )
    return redirect("teams:members", slug)


@require_POST
def remove(request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
    """Removes a member."""
    access = access_for(request, slug, Permission.MANAGE_MEMBERS)
    user = _person(access, user_id)
    done = _("%(person)s was removed. Their tokens for this team no longer work.") % {"person": user.label}
    run_action(
        request,
        done,
        remove_member,
        by=actor_of(request),
        team=access.team,
        user=user,
        now=timezone.now(),
    )
    return redirect("teams:members", slug)


def _person(access: Access, user_id: str) -> User:
    """Returns a member or former member of the team by public id. Raises Http404 if there is none.

    For a former member the action explains that they have left.
    """
    here = Q(memberships__team=access.team)
    left = Activity.objects.filter(team=access.team, kind__in=["member.left", "member.removed"])
    found = User.objects.filter(here | Q(pk__in=left.values("person")), public_id=user_id).first()
    if found is None:
        raise Http404("Nobody of this team")
    return found
