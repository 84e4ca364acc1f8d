"""The API's endpoints about calls, below /api/v1/."""

from django.urls import path

from logs import api

urlpatterns = [
    path("calls", api.report_calls),
    path("litellm", api.report_litellm),
]
