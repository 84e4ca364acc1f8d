"""Helpers for responses: pages and parts of pages for htmx, media types, and expired sessions."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx requests only a part of the page.

    Boosted links and the Back button are requests by htmx that need the whole page.
    """
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, template: str, partial: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Renders a page, or only the partial of its template named `partial` if htmx requests a part.

    The name of the partial is also the id of the element that htmx replaces. Both responses have the same URL;
    the header `Vary: HX-Request` makes caches store them separately.
    """
    name = f"{template}#{partial}" if wants_part(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def preferred_type(request: HttpRequest, kinds: Sequence[str]) -> str:
    """Returns which of the media types `kinds` the header `Accept` prefers, or the first if it names none.

    Parameters such as a charset are ignored; Django's get_preferred_type would find no match with them.
    """
    for accepted in request.accepted_types:
        for kind in kinds:
            if MediaType(kind).match(f"{accepted.main_type}/{accepted.sub_type}"):
                return kind
    return kinds[0]


class HtmxLoginMiddleware:
    """Makes the browser load the sign-in page if a request by htmx comes after the session has ended.

    htmx itself would follow the redirect and insert the sign-in form into the page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.htmx and response.status_code == 302 and not request.user.is_authenticated:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(response["Location"])
        return response
