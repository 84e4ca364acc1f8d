"""Address of the page that compares calls with statistics."""

from django.urls import path

from logs.integrity import views

urlpatterns = [
    path("t/<slug:slug>/quotas/check/", views.check, name="check"),
]
