"""URL patterns of the quota pages and of the forms that set quotas."""

from django.urls import path

from usage.quotas import token_views, views

urlpatterns = [
    path("t/<slug:slug>/quotas/", views.quotas, name="quotas"),
    path("t/<slug:slug>/quotas/team/", views.set_team, name="quotas-team"),
    path("t/<slug:slug>/quotas/members/", views.set_members, name="quotas-members"),
    path("t/<slug:slug>/quotas/unpriced/", views.set_unpriced, name="quotas-unpriced"),
    path("t/<slug:slug>/tokens/new/", token_views.create, name="token-new"),
    path("t/<slug:slug>/tokens/<str:token_id>/quota/", token_views.editor, name="token-editor"),
    path("t/<slug:slug>/members/<str:user_id>/edit/", views.member_editor, name="member-editor"),
]
