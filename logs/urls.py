"""Addresses of the logs."""

from django.urls import path

from logs import views

app_name = "logs"
urlpatterns = [
    path("t/<slug:slug>/logs/", views.calls, name="list"),
    path("t/<slug:slug>/logs/export/", views.export, name="export"),
    path("t/<slug:slug>/logs/choices/<slug:name>/", views.choices, name="choices"),
    path("t/<slug:slug>/logs/<uuid:call_id>/", views.call, name="detail"),
]
