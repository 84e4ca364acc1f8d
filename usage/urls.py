"""Addresses of the usage pages."""

from django.urls import path

from usage import (
    alert_views,
    expected_views,
    quota_views,
    refusal_views,
    token_views,
    views,
    webhook_views,
)

app_name = "usage"
urlpatterns = [
    path("me/", views.me, name="me"),
    path("me/calls/", views.my_calls, name="me-calls"),
    path("me/export/", views.me_file, name="me-export"),
    path("t/<slug:slug>/", views.overview, name="overview"),
    path("t/<slug:slug>/unusual/expected/", expected_views.mark, name="expected-mark"),
    path(
        "t/<slug:slug>/unusual/expected/<str:expected_id>/remove/",
        expected_views.unmark,
        name="expected-unmark",
    ),
    path("t/<slug:slug>/digest/", alert_views.digest, name="digest"),
    path("t/<slug:slug>/alerts/", alert_views.alerts, name="alerts"),
    path("t/<slug:slug>/alerts/mails/", alert_views.save_mails, name="alerts-mails"),
    path("t/<slug:slug>/alerts/thresholds/", alert_views.save_thresholds, name="alerts-thresholds"),
    path("t/<slug:slug>/alerts/messages/", alert_views.message_log, name="messages"),
    path("t/<slug:slug>/alerts/messages/<str:message_id>/resend/", webhook_views.resend, name="message-resend"),
    path("t/<slug:slug>/alerts/webhooks/new/", webhook_views.create, name="webhook-new"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/", webhook_views.webhook, name="webhook"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/change/", webhook_views.change, name="webhook-change"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/rotate/", webhook_views.rotate, name="webhook-rotate"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/delete/", webhook_views.delete, name="webhook-delete"),
    path("t/<slug:slug>/alerts/webhooks/<str:webhook_id>/test/", webhook_views.test, name="webhook-test"),
    path("t/<slug:slug>/top/", views.top, name="top"),
    path("t/<slug:slug>/export/", views.overview_file, name="overview-export"),
    path("t/<slug:slug>/ranking/export/", views.ranking_file, name="ranking-export"),
    path("t/<slug:slug>/ranking/", views.ranking, name="ranking"),
    path("t/<slug:slug>/refusals/", refusal_views.refusals, name="refusals"),
    path("t/<slug:slug>/quotas/", quota_views.quotas, name="quotas"),
    path("t/<slug:slug>/quotas/team/", quota_views.set_team, name="quotas-team"),
    path("t/<slug:slug>/quotas/members/", quota_views.set_members, name="quotas-members"),
    path("t/<slug:slug>/tokens/new/", token_views.create, name="token-new"),
    path("t/<slug:slug>/tokens/<str:token_id>/quota/", token_views.editor, name="token-editor"),
    path("t/<slug:slug>/members/<str:user_id>/edit/", quota_views.member_editor, name="member-editor"),
]
