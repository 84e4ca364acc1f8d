"""What site staff can do in the Django admin: they look at rows, and change them by the same actions as everybody.

Nothing is saved from a form: a row that is edited behind the actions' backs could break a rule and would
leave no activity.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView

import teams.account_admin  # noqa: F401  # registers
from config.addresses import client_address
from teams.actions.gateway_keys import (
    create_gateway_key,
    disable_gateway_key,
    enable_gateway_key,
    revoke_gateway_key,
)
from teams.actions.members import change_role, remove_member
from teams.actions.staff import end_staff, make_staff
from teams.actions.teams import restore_team
from teams.actions.tokens import disable_token, enable_token, revoke_token
from teams.actions.transfers import transfer_by_staff
from teams.actions.users import (
    confirm_address,
    create_user,
    deactivate_user,
    make_password_link,
    reactivate_user,
    remove_second_factors,
)
from teams.activity import Actor
from teams.errors import ActionError
from teams.models import Activity, GatewayKey, Invitation, Membership, Role, Team, Token, Transfer, User
from teams.read_only_admin import ReadOnlyAdmin
from teams.requests import signed_in
from teams.roster import address_is_confirmed

# The admin's own sign-in form knows neither rate limits nor the second factor: allauth's does.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Nor does its page for one's own password write activity.
_password = RedirectView.as_view(pattern_name="account_change_password")
admin.site.password_change = _password  # type: ignore[method-assign,assignment]
admin.site.site_header = admin.site.site_title = "Callboard"


def staff_of(request: HttpRequest) -> Actor:
    """The member of staff at work, with the rights of the site."""
    return Actor(signed_in(request), client_address(request), as_staff=True)


def run_on_each(request: HttpRequest, rows: Iterable[Model], act: Callable[[Any], object]) -> None:
    """Runs an action on each row by itself and says what came of it."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except ActionError as error:
            messages.error(request, f"{row}: {error}")
    if done:
        messages.success(request, _now("Done for %(count)d.") % {"count": done})


class NewUserForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new user; they set their password by “Forgot it?”, or by a link that staff make and pass on."""

    class Meta:
        model = User
        fields = ("email", "name", "is_staff")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    form = NewUserForm
    list_display = ("email", "name", "is_active", "is_confirmed", "is_staff", "joined_at", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name", "public_id")
    ordering = ("email",)
    support_may = ("view", "add", "change")
    actions = (
        "deactivate",
        "reactivate",
        "confirm_address",
        "make_password_link",
        "drop_factors",
        "make_staff",
        "end_staff",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("teams.add_user")

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return signed_in(request).is_superuser

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ["email", "name", *(["is_staff"] if self.has_promote_permission(request) else [])]
        shown = ["email", "name", "is_staff", "groups", "is_active", "is_superuser"]
        return [*shown, "public_id", "joined_at", "last_login"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(has_confirmed=address_is_confirmed("pk", "email"))

    @admin.display(description=_("address confirmed"), boolean=True)
    def is_confirmed(self, user: User) -> bool:
        return bool(user.has_confirmed)  # type: ignore[attr-defined]  # the annotation

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Makes the user by the actions; the form's own row is never saved."""
        by = staff_of(request)
        made = create_user(by=by, email=obj.email, name=obj.name, verified=True)
        if obj.is_staff:
            make_staff(by=by, user=made)
        obj.pk = made.pk

    @admin.action(description=_("Deactivate: end sessions, disable tokens"), permissions=["act"])
    def deactivate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        now = timezone.now()
        run_on_each(request, rows, lambda user: deactivate_user(by=staff_of(request), user=user, now=now))

    @admin.action(description=_("Reactivate"), permissions=["act"])
    def reactivate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: reactivate_user(by=staff_of(request), user=user))

    @admin.action(description=_("Confirm the address: it is theirs"), permissions=["act"])
    def confirm_address(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: confirm_address(by=staff_of(request), user=user))

    @admin.action(description=_("Make a link to set a new password"), permissions=["act"])
    def make_password_link(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        """Shows a link for each, once, to pass on where no mail can."""

        def make(user: User) -> None:
            url = make_password_link(by=staff_of(request), user=user)
            text = _now("For %(email)s, to set a new password: %(url)s") % {"email": user.email, "url": url}
            messages.warning(request, text)

        run_on_each(request, rows, make)

    @admin.action(description=_("Remove the second factors: the device is lost"), permissions=["act"])
    def drop_factors(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: remove_second_factors(by=staff_of(request), user=user))

    @admin.action(description=_("Make support staff"), permissions=["promote"])
    def make_staff(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: make_staff(by=staff_of(request), user=user))

    @admin.action(description=_("Take staff rights back"), permissions=["promote"])
    def end_staff(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: end_staff(by=staff_of(request), user=user))


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ("name", "slug", "owner", "is_personal", "time_zone", "created_at", "deleted_at")
    list_filter = ("is_personal", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("owner",)
    search_fields = ("name", "slug", "owner__email")
    ordering = ("name",)
    support_may = ("view", "change")
    actions = ("restore",)

    @admin.action(description=_("Restore deleted teams"), permissions=["act"])
    def restore(self, request: HttpRequest, rows: QuerySet[Team]) -> None:
        now = timezone.now()
        run_on_each(request, rows, lambda team: restore_team(by=staff_of(request), team=team, now=now))


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("team", "user", "role", "joined_at")
    list_filter = ("role", "team__is_personal")
    list_select_related = ("team", "user")
    search_fields = ("team__name", "team__slug", "user__email", "user__name")
    ordering = ("team__name", "user__email")
    support_may = ("view", "change")
    actions = ("make_owner", "make_administrator", "make_member", "remove")

    @admin.action(description=_("Make owner at once (the owner is gone)"), permissions=["act"])
    def make_owner(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(
            request, rows, lambda row: transfer_by_staff(by=by, team=row.team, successor=row.user, now=now)
        )

    @admin.action(description=_("Make administrator"), permissions=["act"])
    def make_administrator(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        self._set_role(request, rows, Role.ADMINISTRATOR)

    @admin.action(description=_("Make member"), permissions=["act"])
    def make_member(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        self._set_role(request, rows, Role.MEMBER)

    @admin.action(description=_("Remove from the team"), permissions=["act"])
    def remove(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda row: remove_member(by=by, team=row.team, user=row.user, now=now))

    def _set_role(self, request: HttpRequest, rows: QuerySet[Membership], role: str) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(
            request, rows, lambda row: change_role(by=by, team=row.team, user=row.user, role=role, now=now)
        )


class SecretAdmin(ReadOnlyAdmin):
    """What the lists of tokens and gateway keys share; the digest is of no use to anybody."""

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

    @admin.action(description=_("Revoke for good"), permissions=["act"])
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
        """Makes a key of the whole site and shows its secret, once."""
        made, secret = create_gateway_key(
            by=staff_of(request), team=None, name=obj.name, expires_at=obj.expires_at
        )
        obj.pk = made.pk
        text = _now("The key of the whole site, shown only now: %(secret)s") % {"secret": secret}
        messages.warning(request, text)

    @admin.action(description=_("Disable"), permissions=["act"])
    def disable(self, request: HttpRequest, rows: QuerySet[GatewayKey]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda key: disable_gateway_key(by=by, key=key, now=now))

    @admin.action(description=_("Enable"), permissions=["act"])
    def enable(self, request: HttpRequest, rows: QuerySet[GatewayKey]) -> None:
        run_on_each(request, rows, lambda key: enable_gateway_key(by=staff_of(request), key=key))

    @admin.action(description=_("Revoke for good"), permissions=["act"])
    def revoke(self, request: HttpRequest, rows: QuerySet[GatewayKey]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda key: revoke_gateway_key(by=by, key=key, now=now))


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    exclude = ("digest",)
    list_display = ("__str__", "role", "invited_by", "sent_at", "expires_at", "uses", "mail_error")
    list_select_related = ("team", "invited_by")
    search_fields = ("email", "team__name", "team__slug")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = (
        "team",
        "offered_by",
        "successor",
        "offered_at",
        "accepted_at",
        "declined_at",
        "cancelled_at",
    )
    list_select_related = ("team", "offered_by", "successor")


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("at", "team", "actor", "kind", "person", "subject", "ip")
    list_select_related = ("team", "actor", "person")
    search_fields = ("kind", "subject", "actor__email", "person__email", "team__slug")
    ordering = ("-id",)
    show_full_result_count = False
