"""URL patterns of the usage pages, included from each subpackage."""

from django.urls import include, path

app_name = "usage"
urlpatterns = [
    path("", include("usage.statistics.urls")),
    path("", include("usage.anomalies.urls")),
    path("", include("usage.alerts.urls")),
    path("", include("usage.quotas.urls")),
    path("", include("usage.reporting.urls")),
]
