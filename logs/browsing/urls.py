"""URL patterns of the pages that list, follow, export and show calls."""

from django.urls import path

from logs.browsing import views

urlpatterns = [
    path("t/<slug:slug>/logs/", views.calls, name="list"),
    path("t/<slug:slug>/logs/export/", views.export, name="export"),
    path("t/<slug:slug>/logs/choices/<slug:name>/", views.choices, name="choices"),
    path("t/<slug:slug>/logs/latency/", views.latency, name="latency"),
    path("t/<slug:slug>/logs/tail/", views.tail, name="tail"),
    path("t/<slug:slug>/logs/views/", views.save_view, name="view-save"),
    path("t/<slug:slug>/logs/views/<slug:view_id>/delete/", views.delete_view, name="view-delete"),
    path("t/<slug:slug>/logs/<uuid:call_id>/", views.call, name="detail"),
]
