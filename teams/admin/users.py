"""The admin page of users."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from teams.actions.staff import end_staff, make_staff
from teams.actions.users import (
    confirm_address,
    create_user,
    deactivate_user,
    make_password_link,
    reactivate_user,
    remove_second_factors,
)
from teams.admin.base import ReadOnlyAdmin, run_on_each, staff_of
from teams.email_addresses import address_is_confirmed
from teams.models import User
from teams.view_helpers import signed_in_user


class NewUserForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form for a new user.

    It has no password: the user sets one by “Forgot your password?” or a link from staff.
    """

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
        return signed_in_user(request).is_superuser

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ["email", "name", *(["is_staff"] if self.has_promote_permission(request) else [])]
        shown = ["email", "name", "is_staff", "groups", "is_active", "is_superuser"]
        return [*shown, "public_id", "joined_at", "last_login"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(has_confirmed=address_is_confirmed("pk", "email"))

    @admin.display(description=_("address verified"), boolean=True)
    def is_confirmed(self, user: User) -> bool:
        return bool(user.has_confirmed)  # type: ignore[attr-defined]  # the annotation

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Creates the user by the actions `create_user` and `make_staff` instead of saving the form's row."""
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

    @admin.action(description=_("Mark the e-mail address as verified"), permissions=["act"])
    def confirm_address(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: confirm_address(by=staff_of(request), user=user))

    @admin.action(description=_("Create a link to set a new password"), permissions=["act"])
    def make_password_link(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        """Creates a link to set a new password for each selected user.

        Shows the links once, for staff to send.
        """

        def make(user: User) -> None:
            url = make_password_link(by=staff_of(request), user=user)
            text = _now("Link for %(email)s to set a new password: %(url)s") % {"email": user.email, "url": url}
            messages.warning(request, text)

        run_on_each(request, rows, make)

    @admin.action(description=_("Remove all second factors (lost device)"), permissions=["act"])
    def drop_factors(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: remove_second_factors(by=staff_of(request), user=user))

    @admin.action(description=_("Make support staff"), permissions=["promote"])
    def make_staff(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: make_staff(by=staff_of(request), user=user))

    @admin.action(description=_("Remove staff rights"), permissions=["promote"])
    def end_staff(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        run_on_each(request, rows, lambda user: end_staff(by=staff_of(request), user=user))
