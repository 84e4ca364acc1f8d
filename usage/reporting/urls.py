"""URL patterns of the pages of API tokens and gateway keys."""

from django.urls import path

from usage.reporting import views

urlpatterns = [
    path("t/<slug:slug>/tokens/<str:token_id>/", views.token, name="token"),
    path("t/<slug:slug>/gateway-keys/<str:key_id>/", views.gateway_key, name="gateway-key"),
]
