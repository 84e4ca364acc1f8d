"""URL patterns of the pages of alerts, webhooks and the digest."""

from django.urls import path

from usage.alerts import views, webhook_views

urlpatterns = [
    path("t/<slug:slug>/digest/", views.digest, name="digest"),
    path("t/<slug:slug>/alerts/", views.alerts, name="alerts"),
    path("t/<slug:slug>/alerts/mails/", views.save_mails, name="alerts-mails"),
    path("t/<slug:slug>/alerts/thresholds/", views.save_thresholds, name="alerts-thresholds"),
    path("t/<slug:slug>/alerts/messages/", views.message_log, name="messages"),
    path("t/<slug:slug>/alerts/messages/<str:message_id>/resend/", webhook_views.resend, name="message-resend"),
    path("t/<slug:slug>/alerts/webhooks/new/", webhook_views.create, name="webhook-new"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/", webhook_views.webhook, name="webhook"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/change/", webhook_views.change, name="webhook-change"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/rotate/", webhook_views.rotate, name="webhook-rotate"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/delete/", webhook_views.delete, name="webhook-delete"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/test/", webhook_views.test, name="webhook-test"),
]
