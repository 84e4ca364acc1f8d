"""The API's endpoints about calls, below /api/v1/."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from logs.browsing.api import read_calls
from logs.openapi import document
from logs.recording import api
from teams.api import Credential, endpoint


@login_not_required
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of the HTTP API; it says nothing that is secret."""
    return JsonResponse(document(settings.BASE_URL))


@csrf_exempt
@login_not_required
def calls(request: HttpRequest) -> HttpResponseBase:
    """One address, two endpoints: POST reports calls, GET reads them."""
    by_method = {"POST": api.report_calls, "GET": read_calls, "HEAD": read_calls}
    return by_method.get(request.method or "", _neither)(request)


@endpoint("GET", "POST")
def _neither(request: HttpRequest, credential: Credential) -> HttpResponse:
    """For any other method: `endpoint` refuses it, and names those that there are."""
    raise NotImplementedError(request.method)


urlpatterns = [
    path("calls", calls),
    path("litellm", api.report_litellm),
]
