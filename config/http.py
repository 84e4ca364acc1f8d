"""Responses: whole pages or parts for htmx, the media type, and the sign-in page for ended sessions."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx requests a part of the page. Boosted links and the Back button need the whole page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, template: str, partial: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Renders the page, or only its partial named `partial` if htmx requests a part.

    The name is also the id of the element that is replaced. Both responses have
    the same URL, so the header `Vary: HX-Request` tells caches to keep them apart.
    """
    name = f"{template}#{partial}" if wants_part(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def preferred_type(request: HttpRequest, kinds: Sequence[str]) -> str:
    """Returns the media type that `Accept` prefers; the first if it names none of them.

    Parameters such as a charset are ignored; Django's get_preferred_type would find no match with them.
    """
    for accepted in request.accepted_types:
        for kind in kinds:
            if MediaType(kind).match(f"{accepted.main_type}/{accepted.sub_type}"):
                return kind
    return kinds[0]


class HtmxLoginMiddleware:
    """Redirects the whole browser to the sign-in page if a request by htmx has no session any more.

    htmx follows redirects itself, and would insert the sign-in form into the page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.htmx and response.status_code == 302 and not request.user.is_authenticated:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(response["Location"])
        return response
