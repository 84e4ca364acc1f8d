"""URL patterns of the usage pages."""

from django.urls import path

from usage.statistics import refusal_views, views

urlpatterns = [
    path("me/", views.me, name="me"),
    path("me/calls/", views.my_calls, name="me-calls"),
    path("me/export/", views.me_file, name="me-export"),
    path("t/<slug:slug>/", views.overview, name="overview"),
    path("t/<slug:slug>/top/", views.top, name="top"),
    path("t/<slug:slug>/export/", views.overview_file, name="overview-export"),
    path("t/<slug:slug>/ranking/export/", views.ranking_file, name="ranking-export"),
    path("t/<slug:slug>/ranking/", views.ranking, name="ranking"),
    path("t/<slug:slug>/refusals/", refusal_views.refusals, name="refusals"),
]
