"""A permission is declared once: a change of the table of permissions changes pages, API and alerts alike."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from teams.access import PERMISSIONS, Permission
from teams.models import Membership, Role
from teams.models.keys import Token
from tests.conftest import Cast
from usage.alerts.readers import subscribers
from usage.anomalies.models import UsageMail


@pytest.fixture
def seen_by_member(
    cast: Cast, client_of: Callable[..., Client], token_of: Callable[..., tuple[Token, str]], settings: Settings
) -> Callable[..., dict[str, object]]:
    """`seen_by_member()`: what Mia, a member, is answered about the others of her team."""
    settings.HAS_MAIL = True
    _token, secret = token_of("member")
    membership = Membership.objects.get(team=cast.team, user=cast.member)
    UsageMail.objects.create(membership=membership, wants_alerts=True)
    slug, others = cast.team.slug, {"member": cast.owner.email}

    def look() -> dict[str, object]:
        api = Client(headers={"Authorization": f"Bearer {secret}"})
        return {
            "ranking": client_of("member").get(f"/t/{slug}/ranking/").status_code,
            "activity": client_of("member").get(f"/t/{slug}/activity/").status_code,
            "usage": api.get("/api/v1/usage", others).status_code,
            "calls": api.get("/api/v1/calls", others).status_code,
            "alerts": cast.member in subscribers("wants_alerts").get(cast.team.pk, []),
        }

    return look


def test_members_see_nothing_of_others(seen_by_member: Callable[..., dict[str, object]]) -> None:
    forbidden = dict.fromkeys(("ranking", "activity", "usage", "calls"), 403)
    assert seen_by_member() == forbidden | {"alerts": False}


def test_a_permission_in_the_table_opens_pages_api_and_alerts(
    seen_by_member: Callable[..., dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PERMISSIONS, Role.MEMBER, PERMISSIONS[Role.MEMBER] | {Permission.SEE_TEAM})
    allowed = dict.fromkeys(("ranking", "activity", "usage", "calls"), 200)
    assert seen_by_member() == allowed | {"alerts": True}
