"""Which team somebody looked at last, so that the site opens there again."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# A cookie and not the session: it outlives signing out, and a look at a page writes nothing.
COOKIE = "team"


def remember_team(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a page of a team that was shown is the last one."""

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
    """The slug in the cookie, or "". Whether the team is still open to this user is for `team_for` to say."""
    return request.COOKIES.get(COOKIE, "")
