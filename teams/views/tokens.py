"""Views of the tokens page.

The view that creates a token is in `usage.quotas.token_views`, as it may set a quota.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from teams.access import Permission
from teams.actions.tokens import disable_token, enable_token, rename_token, revoke_token, rotate_token
from teams.activity import actor_of
from teams.forms.tokens import RenameForm
from teams.pages.tokens import ShownSecret, token_of, tokens_page
from teams.view_helpers import access_for, run_action, run_action_for_result


def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the user's tokens.

    The owner and administrators also see the tokens of others and the gateway keys.
    """
    return tokens_page(request, access_for(request, slug, Permission.SEE_OWN))


@require_POST
@never_cache
def rotate(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Gives a token of the user a new secret and shows it, once."""
    access = access_for(request, slug, Permission.SEE_OWN)
    token = token_of(access, token_id)
    made = run_action_for_result(request, rotate_token, by=actor_of(request), token=token, now=timezone.now())
    if made is None:
        return redirect("teams:tokens", slug)
    return tokens_page(request, access, shown=ShownSecret(made[1], made[0], access.team, True))


@require_POST
def rename(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Renames a token of the user."""
    access = access_for(request, slug, Permission.SEE_OWN)
    token = token_of(access, token_id)
    form = RenameForm(request.POST)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    run_action(request, _("Renamed."), rename_token, by=actor_of(request), token=token, name=name)
    return redirect("teams:tokens", slug)


@require_POST
def disable(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Disables a token."""
    access = access_for(request, slug, Permission.SEE_OWN)
    token = token_of(access, token_id)
    done = _("“%(name)s” is disabled.") % {"name": token.name}
    run_action(request, done, disable_token, by=actor_of(request), token=token, now=timezone.now())
    return redirect("teams:tokens", slug)


@require_POST
def enable(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Enables a token."""
    access = access_for(request, slug, Permission.SEE_OWN)
    token = token_of(access, token_id)
    done = _("“%(name)s” is enabled.") % {"name": token.name}
    run_action(request, done, enable_token, by=actor_of(request), token=token)
    return redirect("teams:tokens", slug)


@require_POST
def revoke(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Revokes a token."""
    access = access_for(request, slug, Permission.SEE_OWN)
    token = token_of(access, token_id)
    done = _("“%(name)s” is revoked.") % {"name": token.name}
    run_action(request, done, revoke_token, by=actor_of(request), token=token, now=timezone.now())
    return redirect("teams:tokens", slug)
