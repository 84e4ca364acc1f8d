"""How requests are answered: in which form, whole or in part, and what becomes of a request without a session."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks to swap a part of the page; a boosted link or a Back wants the whole page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, template: str, partial: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The page, or for an htmx swap only its partial named `partial`.

    The name is also the id of the element that is swapped. This alone decides part or whole, and both
    answers come from one URL, so caches are told that the header HX-Request makes the difference.
    """
    name = f"{template}#{partial}" if wants_part(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def preferred_type(request: HttpRequest, kinds: Sequence[str]) -> str:
    """That of these media types which `Accept` prefers; the first where it says nothing of them.

    Parameters such as a charset are left aside, by which Django's get_preferred_type would find none.
    """
    for accepted in request.accepted_types:
        for kind in kinds:
            if MediaType(kind).match(f"{accepted.main_type}/{accepted.sub_type}"):
                return kind
    return kinds[0]


class HtmxLoginMiddleware:
    """Sends the whole browser to the sign-in page when a swap meets an ended session.

    htmx follows redirects silently and would put the sign-in form into a table.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.htmx and response.status_code == 302 and not request.user.is_authenticated:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(response["Location"])
        return response
