"""The API's endpoints about quota, below /api/v1/."""

from django.urls import path

from usage import api, api_unusual, api_usage

urlpatterns = [
    path("usage", api_usage.show_usage),
    path("unusual", api_unusual.show_unusual),
    path("me", api.show_context),
    path("reservations", api.make_reservation),
    path("reservations/<str:reservation_id>", api.end_reservation),
]
