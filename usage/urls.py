"""Addresses of the usage pages."""

from django.urls import path

from usage import views

app_name = "usage"
urlpatterns = [
    path("me/", views.me, name="me"),
    path("t/<slug:slug>/", views.overview, name="overview"),
    path("t/<slug:slug>/ranking/", views.ranking, name="ranking"),
]
