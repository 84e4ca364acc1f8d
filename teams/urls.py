"""URLs of accounts and teams. Each URL has one purpose, and those that change something allow only POST."""

from django.urls import path

from teams.views import (
    account,
    activity,
    gateway_keys,
    invitation,
    invitations,
    members,
    new_team,
    openid,
    settings,
    tokens,
)
from teams.views import transfer as transfers

app_name = "teams"
TEAM = "t/<slug:slug>/"
urlpatterns = [
    path("accounts/profile/", account.profile, name="profile"),
    path("accounts/activity/", account.activity, name="account-activity"),
    # These replace the views of django-allauth, which verify less.
    path("accounts/oidc/<str:provider_id>/login/", openid.login, name="openid-login"),
    path("accounts/oidc/<str:provider_id>/login/callback/", openid.callback, name="openid-callback"),
    path("teams/new/", new_team.new_team, name="new"),
    path("invite/<str:secret>/", invitation.invite, name="invite"),
    path("invite/<str:secret>/accept/", invitation.accept, name="invite-accept"),
    path("invite/<str:secret>/decline/", invitation.decline, name="invite-decline"),
    path(f"{TEAM}members/", members.members, name="members"),
    path(f"{TEAM}members/<str:user_id>/role/", members.change, name="member-role"),
    path(f"{TEAM}members/<str:user_id>/remove/", members.remove, name="member-remove"),
    path(f"{TEAM}invitations/", invitations.invitations, name="invitations"),
    path(f"{TEAM}invitations/email/", invitations.by_email, name="invite-by-email"),
    path(f"{TEAM}invitations/link/", invitations.by_link, name="invite-by-link"),
    path(f"{TEAM}invitations/<str:invitation_id>/resend/", invitations.resend, name="invitation-resend"),
    path(f"{TEAM}invitations/<str:invitation_id>/revoke/", invitations.revoke, name="invitation-revoke"),
    path(f"{TEAM}tokens/", tokens.tokens, name="tokens"),
    path(f"{TEAM}tokens/<str:token_id>/rename/", tokens.rename, name="token-rename"),
    path(f"{TEAM}tokens/<str:token_id>/rotate/", tokens.rotate, name="token-rotate"),
    path(f"{TEAM}tokens/<str:token_id>/disable/", tokens.disable, name="token-disable"),
    path(f"{TEAM}tokens/<str:token_id>/enable/", tokens.enable, name="token-enable"),
    path(f"{TEAM}tokens/<str:token_id>/revoke/", tokens.revoke, name="token-revoke"),
    path(f"{TEAM}gateway-keys/new/", gateway_keys.create, name="gateway-key-new"),
    path(f"{TEAM}gateway-keys/<str:key_id>/rename/", gateway_keys.rename, name="gateway-key-rename"),
    path(f"{TEAM}gateway-keys/<str:key_id>/rotate/", gateway_keys.rotate, name="gateway-key-rotate"),
    path(f"{TEAM}gateway-keys/<str:key_id>/disable/", gateway_keys.disable, name="gateway-key-disable"),
    path(f"{TEAM}gateway-keys/<str:key_id>/enable/", gateway_keys.enable, name="gateway-key-enable"),
    path(f"{TEAM}gateway-keys/<str:key_id>/revoke/", gateway_keys.revoke, name="gateway-key-revoke"),
    path(f"{TEAM}activity/", activity.activity, name="activity"),
    path(f"{TEAM}activity/export/", activity.export, name="activity-export"),
    path(f"{TEAM}settings/", settings.settings, name="settings"),
    path(f"{TEAM}settings/general/", settings.update, name="settings-general"),
    path(f"{TEAM}settings/leave/", settings.leave, name="leave"),
    path(f"{TEAM}settings/delete/", settings.delete, name="delete"),
    path(f"{TEAM}transfer/offer/", transfers.offer, name="transfer-offer"),
    path(f"{TEAM}transfer/<str:transfer_id>/accept/", transfers.accept, name="transfer-accept"),
    path(f"{TEAM}transfer/<str:transfer_id>/decline/", transfers.decline, name="transfer-decline"),
    path(f"{TEAM}transfer/<str:transfer_id>/cancel/", transfers.cancel, name="transfer-cancel"),
]
