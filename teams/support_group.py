"""The group of support staff in the Django admin. Its permissions are those of all support staff.

Each page of the admin lists in `support_may` the permissions that it gives to the group. Superusers add users
to the group and remove them by the actions in `teams.actions.staff`. Nobody edits the group itself.
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
    """Returns the group of support staff with up-to-date permissions. Creates it if it does not exist."""
    group, _made = Group.objects.get_or_create(name=GROUP)
    group.permissions.set(_granted())
    return group


def refresh_support_group(**migrated: Any) -> None:
    """Receives `post_migrate` and updates the permissions of the group of support staff, if it exists."""
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
