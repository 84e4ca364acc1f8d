"""Remembers the team that somebody viewed last, so that the start page leads there."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# A cookie instead of the session: it survives signing out, and viewing a page writes nothing.
COOKIE = "team"


def remember_team(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that sets a cookie when a page of a team is viewed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        match = request.resolver_match
        slug = match.kwargs.get("slug") if match else None
        if slug and response.status_code == 200 and request.COOKIES.get(COOKIE) != slug:
            response.set_cookie(
                COOKIE,
                slug,
                max_age=365 * 24 * 3600,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response

    return middleware


def last_team(request: HttpRequest) -> str:
    """Returns the slug in the cookie, or "". It does not check that the user still has access."""
    return request.COOKIES.get(COOKIE, "")
