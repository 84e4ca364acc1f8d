"""Rules that are declared once: who may do what, and what state a row is in."""

import ast
from typing import Any

import pytest

from teams.access import PERMISSIONS, Permission, lowest_role_with, role_may, roles_with
from teams.models import Role
from tests.config.test_architecture import ROOT, modules

# Where a rule about rows is written out: beside the model, in its QuerySet.
RULES = {"deleted_at", "revoked_at", "disabled_at", "accepted_at", "declined_at", "cancelled_at"}
OTHER_APPS = [path for path in modules() if path.startswith(("usage/", "logs/")) and "/migrations/" not in path]


def decisions_by_role(path: str) -> list[str]:
    """Comparisons with named roles of a team, such as `role in {Role.OWNER, …}`."""
    tree = ast.parse((ROOT / path).read_text())
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg]
    filtered = [ast.unparse(node) for node in keywords if str(node.arg).endswith("role__in")]
    return [text for text in [*compared, *filtered] if "Role.OWNER" in text]


@pytest.mark.parametrize("path", OTHER_APPS)
def test_usage_and_logs_ask_the_table_of_permissions(path: Any) -> None:
    assert not decisions_by_role(path)


def written_out_rules(path: str) -> list[str]:
    """Arguments such as `team__deleted_at=None`, of a filter that repeats a rule of `teams`."""
    tree = ast.parse((ROOT / path).read_text())
    keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg]
    names = [str(node.arg) for node in keywords if ast.unparse(node.value) == "None"]
    return [name for name in names if name.rpartition("__")[2] in RULES]


@pytest.mark.parametrize("path", OTHER_APPS)
def test_usage_and_logs_ask_the_querysets_of_teams(path: Any) -> None:
    assert not written_out_rules(path)


@pytest.mark.parametrize("permission", Permission)
def test_the_roles_with_a_permission_come_from_the_table(permission: Any) -> None:
    assert set(roles_with(permission)) == {role for role in PERMISSIONS if permission in PERMISSIONS[role]}
    assert role_may(lowest_role_with(permission), permission)


def test_the_lowest_role_that_sees_the_team_is_administrator() -> None:
    assert lowest_role_with(Permission.SEE_TEAM) == Role.ADMINISTRATOR
    assert lowest_role_with(Permission.SEE_OWN) == Role.MEMBER
