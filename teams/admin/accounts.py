"""Read-only admin pages for the tables of django-allauth and Django; staff change users by actions instead.

Editing them would break rules: marking an address as verified, moving an account of the provider to another user,
adding a provider, or adding a permission to the group of support staff. Secrets of authenticators and
sessions are not shown.
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
    """Admin page of rows that belong to a user; it shows only the fields that it names."""

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
    """Admin page of the group of support staff, for superusers."""

    support_may = ()
    fields = ("name", "permissions")
    list_display = ("name",)


@admin.register(UserSession)
class UserSessionAdmin(UserOwnedAdmin):
    fields = list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
