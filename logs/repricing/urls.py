"""URL patterns of the prices page. They must precede those of the Django admin."""

from django.contrib import admin
from django.urls import path

from logs.repricing import views

urlpatterns = [
    path("admin/prices/", admin.site.admin_view(views.prices), name="prices"),
    path("admin/prices/set/", admin.site.admin_view(views.set_price), name="prices-set"),
    path("admin/prices/again/", admin.site.admin_view(views.reprice), name="prices-again"),
]
