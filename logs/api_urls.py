"""URL patterns of the API endpoints about calls.

Each format in which calls are reported has its own path, in /api/v1/ or /otlp/.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from logs.browsing.api import read_calls
from logs.formats import CALLBOARD, FORMATS
from logs.openapi import document
from logs.recording import api
from teams.api import Credential, endpoint

_report_calls = api.receiver(CALLBOARD)


@login_not_required
def openapi(request: HttpRequest) -> HttpResponse:
    """Returns the OpenAPI description of the HTTP API. No login is needed: it contains nothing secret."""
    return JsonResponse(document(settings.BASE_URL))


@csrf_exempt
@login_not_required
def calls(request: HttpRequest) -> HttpResponseBase:
    """Dispatches /api/v1/calls by method: POST reports calls, GET and HEAD read them."""
    by_method = {"POST": _report_calls, "GET": read_calls, "HEAD": read_calls}
    return by_method.get(request.method or "", _neither)(request)


@endpoint("GET", "POST")
def _neither(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Handles all other methods of /api/v1/calls; it is never entered.

    The decorator `endpoint` answers 405 before this function is called, and names the supported methods.
    """
    raise NotImplementedError(request.method)


def _addresses(prefix: str) -> list[URLPattern]:
    """Returns the URL patterns of the reporting formats whose path starts with `prefix`.

    The path of Callboard's own format also serves GET, to read calls.
    """
    return [
        path(form.path.removeprefix(prefix), calls if form is CALLBOARD else api.receiver(form))
        for form in FORMATS.values()
        if form.path.startswith(prefix)
    ]


urlpatterns = _addresses("api/v1/")
otlp_urlpatterns = [
    *_addresses("otlp/"),
    path("v1/metrics", api.ignore_signal),
    path("v1/logs", api.ignore_signal),
]
