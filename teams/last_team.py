"""Remembers in a cookie which team somebody viewed last; the start page redirects to that team."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# The name of the cookie. Unlike the session, it survives signing out, and needs no write to the database.
COOKIE = "team"


def remember_team(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Returns a middleware that sets the cookie when somebody has viewed a page of a team."""

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
    """Returns the slug of the team that was viewed last, or "".

    It does not check whether the user still has access.
    """
    return request.COOKIES.get(COOKIE, "")
