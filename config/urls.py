"""All URLs of the site. They do not change, because people bookmark and share them, and scripts use them."""

from django.contrib import admin
from django.urls import include, path, re_path

from config.views import healthz
from logs.api_urls import openapi, otlp_urlpatterns
from teams.api import not_found
from teams.views.account import home

urlpatterns = [
    # First the endpoints that gateways request many times per second.
    path("api/v1/openapi.json", openapi, name="openapi"),
    path("api/v1/", include("logs.api_urls")),
    path("api/v1/", include("usage.api_urls")),
    path("otlp/", include(otlp_urlpatterns)),
    re_path("^(?:api|otlp)/", not_found),
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("", include("teams.urls")),
    path("", include("usage.urls")),
    path("", include("logs.urls")),
    path("accounts/", include("teams.account_urls")),
    path("admin/", admin.site.urls),
]
