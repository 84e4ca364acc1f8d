"""The admin pages of API tokens and gateway keys."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from teams.actions.gateway_keys import (
    create_gateway_key,
    disable_gateway_key,
    enable_gateway_key,
    revoke_gateway_key,
)
from teams.actions.tokens import disable_token, enable_token, revoke_token
from teams.admin.base import ReadOnlyAdmin, run_on_each, staff_of
from teams.models import GatewayKey, Token


class SecretAdmin(ReadOnlyAdmin):
    """Base of the admin pages of tokens and gateway keys. They do not show the hash of the secret."""

    support_may = ("view", "change")
    exclude = ("digest",)
    list_filter = (("disabled_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    search_fields: ClassVar[tuple[str, ...]] = ("name", "prefix", "public_id", "team__slug")
    ordering = ("-created_at",)


@admin.register(Token)
class TokenAdmin(SecretAdmin):
    list_display = (
        "name",
        "prefix",
        "team",
        "user",
        "mode",
        "expires_at",
        "disabled_at",
        "revoked_at",
        "last_used_at",
    )
    list_select_related = ("team", "user")
    search_fields = (*SecretAdmin.search_fields, "user__email")
    actions = ("disable", "enable", "revoke")

    @admin.action(description=_("Disable"), permissions=["act"])
    def disable(self, request: HttpRequest, rows: QuerySet[Token]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda token: disable_token(by=by, token=token, now=now))

    @admin.action(description=_("Enable"), permissions=["act"])
    def enable(self, request: HttpRequest, rows: QuerySet[Token]) -> None:
        run_on_each(request, rows, lambda token: enable_token(by=staff_of(request), token=token))

    @admin.action(description=_("Revoke permanently"), permissions=["act"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Token]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda token: revoke_token(by=by, token=token, now=now))


@admin.register(GatewayKey)
class GatewayKeyAdmin(SecretAdmin):
    list_display = (
        "name",
        "prefix",
        "team",
        "created_by",
        "expires_at",
        "disabled_at",
        "revoked_at",
        "last_used_at",
    )
    list_select_related = ("team", "created_by")
    actions = ("disable", "enable", "revoke")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("teams.add_gatewaykey")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("name", "expires_at") if obj is None else super().get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: GatewayKey, form: Any, change: bool) -> None:
        """Creates a gateway key of the whole site and shows its secret once."""
        made, secret = create_gateway_key(
            by=staff_of(request), team=None, name=obj.name, expires_at=obj.expires_at
        )
        obj.pk = made.pk
        text = _now("The gateway key of the whole site, which is shown only once: %(secret)s") % {
            "secret": secret
        }
        messages.warning(request, text)

    @admin.action(description=_("Disable"), permissions=["act"])
    def disable(self, request: HttpRequest, rows: QuerySet[GatewayKey]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda key: disable_gateway_key(by=by, key=key, now=now))

    @admin.action(description=_("Enable"), permissions=["act"])
    def enable(self, request: HttpRequest, rows: QuerySet[GatewayKey]) -> None:
        run_on_each(request, rows, lambda key: enable_gateway_key(by=staff_of(request), key=key))

    @admin.action(description=_("Revoke permanently"), permissions=["act"])
    def revoke(self, request: HttpRequest, rows: QuerySet[GatewayKey]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda key: revoke_gateway_key(by=by, key=key, now=now))
