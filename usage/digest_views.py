"""One's own mails about a team's usage, with last week's digest to look at."""

from django.conf import settings
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from teams.access import Permission
from teams.activity import actor_of
from teams.requests import access_for, attempt
from usage.actions.usage_mail import set_usage_mail
from usage.digest import make_digest
from usage.forms import UsageMailForm
from usage.models import UsageMail
from usage.weeks import Week, week_of


def digest(request: HttpRequest, slug: str) -> HttpResponse:
    """What one gets, and what it says."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    now = timezone.now()
    wanted = UsageMail.objects.filter(membership__team=access.team, membership__user=access.user).first()
    last_week = Week(week_of(now, access.team.zone).before, access.team.zone)
    context = {
        "access": access,
        "nav": "overview",
        "form": UsageMailForm(initial=model_to_dict(wanted) if wanted else None),
        "digest": make_digest(access.team, last_week, now),
        "has_mail": settings.HAS_MAIL,
    }
    return render(request, "usage/digest.html", context)


@require_POST
def save(request: HttpRequest, slug: str) -> HttpResponse:
    """Turns one's mails on or off."""
    access = access_for(request, slug, Permission.SEE_TEAM)
    form = UsageMailForm(request.POST)
    form.full_clean()
    attempt(
        request,
        _("Saved."),
        set_usage_mail,
        by=actor_of(request),
        team=access.team,
        now=timezone.now(),
        wants_digest=form.cleaned_data["wants_digest"],
        wants_alerts=form.cleaned_data["wants_alerts"],
    )
    return redirect("usage:digest", slug)
