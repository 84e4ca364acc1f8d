"""URL patterns of the logs, included from each room."""

from django.urls import include, path

app_name = "logs"
urlpatterns = [
    path("", include("logs.integrity.urls")),
    path("", include("logs.browsing.urls")),
    path("", include("logs.repricing.urls")),
]
