"""URL patterns of the API's endpoints about usage and quota, below /api/v1/."""

from django.urls import path

from usage.anomalies import api as anomalies
from usage.quotas import api as quotas
from usage.statistics import api as statistics

urlpatterns = [
    path("usage", statistics.show_usage),
    path("unusual", anomalies.show_anomalies),
    path("me", quotas.show_context),
    path("reservations", quotas.make_reservation),
    path("reservations/<str:reservation_id>", quotas.end_reservation),
]
