"""The addresses of accounts, teams and what belongs to them."""

from django.urls import path

from teams import views

app_name = "teams"
urlpatterns = [
    path("accounts/profile/", views.profile, name="profile"),
]
