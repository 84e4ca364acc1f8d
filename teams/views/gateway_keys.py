"""Views that create and change the gateway keys of a team. Their results are shown on the tokens page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from teams.access import Access, Permission
from teams.actions.gateway_keys import (
    create_gateway_key,
    disable_gateway_key,
    enable_gateway_key,
    rename_gateway_key,
    revoke_gateway_key,
    rotate_gateway_key,
)
from teams.activity import actor_of
from teams.forms.tokens import GatewayKeyForm, RenameForm
from teams.models import GatewayKey
from teams.pages.tokens import ShownSecret, tokens_page
from teams.view_helpers import access_for, run_action, run_action_for_result, run_form_action


@require_POST
@never_cache
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """Creates a gateway key and shows its secret, once."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    form = GatewayKeyForm(request.POST)
    if form.is_valid():
        made = run_form_action(
            form,
            create_gateway_key,
            by=actor_of(request),
            team=access.team,
            name=form.cleaned_data["name"],
            expires_at=form.expires_at(timezone.now()),
        )
        if made:
            return tokens_page(request, access, shown=ShownSecret(made[1], made[0], access.team, False))
    return tokens_page(request, access, 422, gateway_form=form)


@require_POST
@never_cache
def rotate(request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
    """Gives a gateway key a new secret and shows it, once."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    key = _key(access, key_id)
    made = run_action_for_result(request, rotate_gateway_key, by=actor_of(request), key=key, now=timezone.now())
    if made is None:
        return redirect("teams:tokens", slug)
    return tokens_page(request, access, shown=ShownSecret(made[1], made[0], access.team, False))


@require_POST
def rename(request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
    """Renames a gateway key."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    form = RenameForm(request.POST)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    key = _key(access, key_id)
    run_action(request, _("Renamed."), rename_gateway_key, by=actor_of(request), key=key, name=name)
    return redirect("teams:tokens", slug)


@require_POST
def disable(request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
    """Disables a gateway key."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    key = _key(access, key_id)
    done = _("“%(name)s” is disabled.") % {"name": key.name}
    run_action(request, done, disable_gateway_key, by=actor_of(request), key=key, now=timezone.now())
    return redirect("teams:tokens", slug)


@require_POST
def enable(request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
    """Enables a gateway key."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    key = _key(access, key_id)
    done = _("“%(name)s” is enabled.") % {"name": key.name}
    run_action(request, done, enable_gateway_key, by=actor_of(request), key=key)
    return redirect("teams:tokens", slug)


@require_POST
def revoke(request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
    """Revokes a gateway key."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    key = _key(access, key_id)
    done = _("“%(name)s” is revoked.") % {"name": key.name}
    run_action(request, done, revoke_gateway_key, by=actor_of(request), key=key, now=timezone.now())
    return redirect("teams:tokens", slug)


def _key(access: Access, key_id: str) -> GatewayKey:
    return get_object_or_404(GatewayKey.objects.select_related("team"), team=access.team, public_id=key_id)
