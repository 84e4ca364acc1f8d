"""The group of support staff, with the permissions of all make the user support staff in the Django admin.

Each page of the admin declares in `support_may` what it grants. Superusers add users to the group and remove
them (`teams.actions.staff`); nobody edits the group.
"""

from typing import Any

from django.apps import apps as every_app
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

GROUP = "Support"


def support_group() -> Group:
    """Returns the group, created if needed, with the permissions that the pages of the admin grant."""
    group, _made = Group.objects.get_or_create(name=GROUP)
    group.permissions.set(_granted())
    return group


def refresh_support_group(**migrated: Any) -> None:
    """Updates the permissions of the group after a migration."""
    has_groups = "group" in migrated.get("apps", every_app).all_models["auth"]
    if has_groups and Group.objects.filter(name=GROUP).exists():
        create_permissions(**migrated)  # Django's own receiver may run after this one
        support_group()


def _granted() -> QuerySet[Permission]:
    wanted = Q(pk__in=[])
    for model in filter(admin.site.is_registered, every_app.get_models()):
        verbs = getattr(admin.site.get_model_admin(model), "support_may", ())
        codenames = [get_permission_codename(verb, model._meta) for verb in verbs]
        wanted |= Q(content_type__app_label=model._meta.app_label, codename__in=codenames)
    return Permission.objects.filter(wanted)
