"""The URLs of django-allauth, with each change to an account and its activity row in one transaction."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import allauth.urls
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

# The URL names of pages whose forms change an account.
CHANGING = {
    "account_change_password",
    "account_confirm_email",
    "account_email",
    "account_reset_password_from_key",
    "account_set_password",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_deactivate_totp",
    "mfa_edit_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_remove_webauthn",
    "socialaccount_connections",
}
# The names of buttons on these pages that send an e-mail. That may take seconds, too long to hold a lock.
MAILING = {"action_add", "action_send"}


def in_one_transaction(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wraps a view to run its POST requests in a transaction, except those that send an e-mail."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or MAILING & request.POST.keys():
            return view(request, *args, **kwargs)
        with transaction.atomic():
            return view(request, *args, **kwargs)

    return run


def _wrapped(patterns: Iterable[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    return [_wrapped_one(pattern) for pattern in patterns]


def _wrapped_one(one: URLPattern | URLResolver) -> URLPattern | URLResolver:
    if isinstance(one, URLResolver):
        within = _wrapped(one.url_patterns)
        return URLResolver(one.pattern, within, one.default_kwargs, one.app_name, one.namespace)
    if one.name not in CHANGING:
        return one
    return URLPattern(one.pattern, in_one_transaction(one.callback), one.default_args, one.name)


urlpatterns = _wrapped(allauth.urls.urlpatterns)
