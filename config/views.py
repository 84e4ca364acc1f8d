"""Views of the site itself: the health check and the page for an invalid CSRF token."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answers 200 if the site and its database work. Load balancers and supervisors request it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers 403 to a form with an invalid CSRF token. Django logs the reason; the page does not show it."""
    return render(request, "403_csrf.html", status=403)
