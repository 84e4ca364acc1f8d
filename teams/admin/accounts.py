"""Read-only admin pages for the tables of django-allauth and Django; staff change users by actions instead.

Editing these tables would bypass rules: it could mark an address as verified, move an account at the OpenID
Connect provider to another user, add a provider, or add a permission to the group of support staff. The pages
do not show secrets of authenticators and sessions.
"""

from typing import ClassVar

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401  # they register before they are replaced
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from teams.admin.base import ReadOnlyAdmin

for table in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession, Group):
    admin.site.unregister(table)


class UserOwnedAdmin(ReadOnlyAdmin):
    """Base of admin pages whose rows belong to a user. A page shows only the fields that its class lists."""

    list_select_related = ("user",)
    search_fields: ClassVar[tuple[str, ...]] = ("user__email", "user__name")


@admin.register(EmailAddress)
class EmailAddressAdmin(UserOwnedAdmin):
    fields = list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    search_fields = ("email", *UserOwnedAdmin.search_fields)


@admin.register(Authenticator)
class AuthenticatorAdmin(UserOwnedAdmin):
    fields = list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)


@admin.register(SocialAccount)
class SocialAccountAdmin(UserOwnedAdmin):
    fields = list_display = ("user", "provider", "uid", "date_joined", "last_login")


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    """Admin page that shows superusers the group of support staff."""

    support_may = ()
    fields = ("name", "permissions")
    list_display = ("name",)


@admin.register(UserSession)
class UserSessionAdmin(UserOwnedAdmin):
    fields = list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
