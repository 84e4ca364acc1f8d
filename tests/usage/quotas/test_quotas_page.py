"""The team's page of quotas."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from teams.access import access_of
from teams.models import Mode, Team
from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos, text_of
from usage.quotas.allotment import allotment
from usage.quotas.models import Level, Period, Quota


@pytest.fixture
def post(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    def send(who: Any, name: str, **fields: Any) -> Any:
        return client_of(who).post(reverse(f"usage:{name}", args=[cast.team.slug]), fields)

    return send


def test_it_shows_the_teams_quota_the_balance_and_every_member(
    cast: Cast, see: Callable[..., Any], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "100")
    limit(Level.OWNER, "250")
    limit(Level.MEMBER, "30")
    page = text_of(see("owner", "quotas"))
    for words in ("/ $100.00", "/ $250.00", "/ $30.00", "Sum of the members' quotas: $30.00 a month"):
        assert words in page
    assert "2 members have no quota of their own." in page
    assert "More is allotted" not in page


def test_over_allotment_is_shown(see: Callable[..., Any], limit: Callable[..., None]) -> None:
    limit(Level.TEAM, "20")
    limit(Level.MEMBER, "30")
    assert "exceed the team's quota by $10.00" in text_of(see("owner", "quotas"))


def test_limits_of_other_periods_are_added_as_they_would_be_for_the_teams(
    cast: Cast, limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "30", Period.MONTH)
    limit(Level.MEMBER, "7", Period.WEEK)
    shown = allotment(access_of(cast.owner, cast.team), Mode.LIVE, NOW)
    assert shown.allotted_nanos == nanos("30")  # November: 30/7 of a week's
    assert shown.over_nanos == 0
    limit(Level.MEMBER, "1.01", Period.DAY)
    shown = allotment(access_of(cast.owner, cast.team), Mode.LIVE, NOW)
    assert (shown.allotted_nanos, shown.over_nanos) == (nanos("30.30"), nanos("0.30"))
    limit(Level.MEMBER, "5", Period.NONE)
    shown = allotment(access_of(cast.owner, cast.team), Mode.LIVE, NOW)
    assert (shown.allotted_nanos, shown.once_nanos) == (0, nanos("5"))


def test_it_is_read_by_four_queries(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    access = access_of(cast.owner, cast.team)
    with django_assert_num_queries(4):
        allotment(access, Mode.LIVE, NOW)


def test_the_owner_sets_the_teams_quota_and_sees_it_in_the_changes(
    cast: Cast, post: Callable[..., Any], see: Callable[..., Any]
) -> None:
    fields: dict[str, Any] = {"team-limit": "75", "team-period": "week", "team-note": "autumn"}
    assert post("owner", "quotas-team", **fields).status_code == 302
    quota = Quota.objects.get()
    assert (quota.level, quota.limit_nanos, quota.period) == (Level.TEAM, nanos("75"), Period.WEEK)
    page = text_of(see("owner", "quotas"))
    assert "Olivia changed the quota of Harbour Research" in page
    assert "autumn" in page


def test_an_administrator_sees_the_page_without_the_form_of_the_team(
    see: Callable[..., Any], post: Callable[..., Any]
) -> None:
    page = text_of(see("administrator", "quotas"))
    assert "team-limit" not in page
    assert "members-limit" in page
    assert post("administrator", "quotas-team", **{"team-limit": "75"}).status_code == 403
    assert not Quota.objects.exists()


@pytest.mark.parametrize("amount", ["", "-1", "much"])
def test_a_wrong_amount_keeps_what_was_typed(post: Callable[..., Any], amount: str) -> None:
    page = text_of(post("owner", "quotas-team", **{"team-limit": amount, "team-note": "kept"}), 422)
    assert 'value="kept"' in page
    assert not Quota.objects.exists()


def test_many_members_are_limited_at_once(cast: Cast, post: Callable[..., Any]) -> None:
    chosen = [cast.member.public_id, cast.administrator.public_id]
    fields: dict[str, Any] = {"members-limit": "9", "members-period": "day", "member": chosen}
    assert post("owner", "quotas-members", **fields).status_code == 302
    found = Quota.objects.values_list("membership__user", "limit_nanos", "period")
    assert set(found) == {(user.pk, nanos("9"), "day") for user in (cast.member, cast.administrator)}
    post("owner", "quotas-members", **{"members-unlimited": "on", "member": chosen[:1]})
    assert Quota.objects.get().membership.user == cast.administrator


def test_nobody_chosen_is_said_and_a_wrong_amount_keeps_the_choice(
    cast: Cast, post: Callable[..., Any]
) -> None:
    assert "Select at least one member." in text_of(
        post("owner", "quotas-members", **{"members-limit": "9"}), 422
    )
    page = text_of(
        post("owner", "quotas-members", **{"members-limit": "x", "member": [cast.member.public_id]}), 422
    )
    assert "checked" in page.split(f'value="{cast.member.public_id}"')[1][:200]


def test_members_of_other_teams_and_the_owner_for_an_administrator_are_out_of_reach(
    cast: Cast, post: Callable[..., Any]
) -> None:
    fields = {"members-limit": "9", "member": [cast.outsider.public_id]}
    assert post("owner", "quotas-members", **fields).status_code == 422
    fields = {"members-limit": "9", "member": [cast.owner.public_id, cast.member.public_id]}
    assert post("administrator", "quotas-members", **fields).status_code == 403
    assert not Quota.objects.exists()


def test_a_personal_space_shows_its_balance_which_staff_set(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    page = text_of(client_of("member").get(reverse("usage:quotas", args=[space.slug])))
    assert "Balances are set by site staff." in page
    assert "members-limit" not in page


def test_the_teams_limit_is_taken_away_although_its_amount_still_stands_there(
    post: Callable[..., Any], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "20")
    fields: dict[str, Any] = {"team-limit": "20.00", "team-period": "month", "team-unlimited": "on"}
    assert post("owner", "quotas-team", **fields).status_code == 302
    assert not Quota.objects.exists()


def test_an_amount_beside_no_limit_is_asked_about_for_team_and_members(
    cast: Cast, post: Callable[..., Any]
) -> None:
    chosen: dict[str, Any] = {"member": cast.member.public_id}
    for name, prefix in (("quotas-team", "team"), ("quotas-members", "members")):
        fields: dict[str, Any] = {
            f"{prefix}-limit": "5",
            f"{prefix}-period": "month",
            f"{prefix}-unlimited": "on",
        }
        assert "Take “No limit” away" in text_of(post("owner", name, **fields, **chosen), 422)
    assert not Quota.objects.exists()
