"""Views of the site itself: health check, CSRF failure, OpenAPI."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answers 200 if the site runs and its database answers, for load balancers and supervisors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers 403 for a form with an invalid CSRF token; the reason is only logged."""
    return render(request, "403_csrf.html", status=403)
