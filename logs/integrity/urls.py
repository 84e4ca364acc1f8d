"""URL pattern of the page that compares calls with statistics and quota use."""

from django.urls import path

from logs.integrity import views

urlpatterns = [
    path("t/<slug:slug>/quotas/check/", views.check, name="check"),
]
