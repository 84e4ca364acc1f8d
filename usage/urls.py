"""Addresses of the usage pages."""

from django.urls import path

from usage import digest_views, expected_views, quota_views, views

app_name = "usage"
urlpatterns = [
    path("me/", views.me, name="me"),
    path("me/export/", views.me_file, name="me-export"),
    path("t/<slug:slug>/", views.overview, name="overview"),
    path("t/<slug:slug>/unusual/expected/", expected_views.mark, name="expected-mark"),
    path(
        "t/<slug:slug>/unusual/expected/<str:expected_id>/remove/",
        expected_views.unmark,
        name="expected-unmark",
    ),
    path("t/<slug:slug>/digest/", digest_views.digest, name="digest"),
    path("t/<slug:slug>/digest/save/", digest_views.save, name="digest-set"),
    path("t/<slug:slug>/export/", views.overview_file, name="overview-export"),
    path("t/<slug:slug>/ranking/export/", views.ranking_file, name="ranking-export"),
    path("t/<slug:slug>/ranking/", views.ranking, name="ranking"),
    path("t/<slug:slug>/quotas/", quota_views.quotas, name="quotas"),
    path("t/<slug:slug>/quotas/team/", quota_views.set_team, name="quotas-team"),
    path("t/<slug:slug>/quotas/members/", quota_views.set_members, name="quotas-members"),
    path("t/<slug:slug>/members/<str:user_id>/edit/", quota_views.member_editor, name="member-editor"),
]
