"""The endpoints about calls: each format of reported calls has its own address, below /api/v1/ or /otlp/."""

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
    """The description of the HTTP API, which contains nothing secret."""
    return JsonResponse(document(settings.BASE_URL))


@csrf_exempt
@login_not_required
def calls(request: HttpRequest) -> HttpResponseBase:
    """One address, two endpoints: POST reports calls, GET reads them."""
    by_method = {"POST": _report_calls, "GET": read_calls, "HEAD": read_calls}
    return by_method.get(request.method or "", _neither)(request)


@endpoint("GET", "POST")
def _neither(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Any other method: `endpoint` refuses it and names the supported ones."""
    raise NotImplementedError(request.method)


def _addresses(prefix: str) -> list[URLPattern]:
    """The addresses of the formats below this prefix; Callboard's own is shared with reading."""
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
