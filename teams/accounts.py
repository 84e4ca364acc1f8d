"""How django-allauth is bound to this site's users."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from teams.actions.users import create_personal_space
from teams.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-up as the setting CALLBOARD_SIGNUP says; every new user gets a personal space."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit and not saved.owned_teams.filter(is_personal=True).exists():
            create_personal_space(saved)
        return saved
