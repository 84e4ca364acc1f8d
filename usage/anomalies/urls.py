"""URL patterns of the views that mark anomalies as expected."""

from django.urls import path

from usage.anomalies import views

urlpatterns = [
    path("t/<slug:slug>/unusual/expected/", views.mark, name="expected-mark"),
    path("t/<slug:slug>/unusual/expected/<str:expected_id>/remove/", views.unmark, name="expected-unmark"),
]
