"""The personal page: what is left in each context, one's own latest calls and tokens, nobody else's."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from teams.activity import Actor
from teams.models import Team
from tests.conftest import Cast
from tests.usage.conftest import text_of
from usage.quotas.models import Period, Quota


def calls_linked(page: str) -> list[str]:
    """The ids of the calls that the page leads to."""
    return re.findall(r"/logs/([0-9a-f-]{36})/", page)


@pytest.fixture
def quota(cast: Cast) -> Quota:
    return Quota.objects.create(
        team=cast.team,
        membership=cast.team.memberships.get(user=cast.member),
        limit_nanos=2_000_000_000,
        period=Period.MONTH,
        changed_at=timezone.now(),
        changed_by=Actor(cast.owner).user,
    )


def test_a_member_sees_what_is_left_and_when_it_resets(
    see: Callable[..., Any], calls: None, quota: Quota
) -> None:
    page = text_of(see("member", "me"))
    assert "/ $2.00" in page
    assert "left (member)." in page
    assert "Resets" in page


def test_without_a_limit_there_is_no_empty_bar(see: Callable[..., Any], calls: None) -> None:
    page = text_of(see("member", "me"))
    assert "You have no limit here." in page
    assert "quota-text" not in page


def test_the_latest_calls_and_tokens_are_ones_own(see: Callable[..., Any], calls: None) -> None:
    member, administrator = (text_of(see(name, "me")) for name in ("member", "administrator"))
    assert len(calls_linked(member)) == 3
    assert "gpt-4o-mini" in member
    assert "gpt-4o-mini" not in administrator
    assert member.count("cb_live_") == 1
    assert member.count("cb_test_") == 1


def test_the_latest_calls_are_of_the_contexts_chosen(see: Callable[..., Any], cast: Cast, calls: None) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    assert len(calls_linked(text_of(see("member", "me", f"team={cast.team.slug}")))) == 3
    page = text_of(see("member", "me", f"team={space.slug}"))
    assert calls_linked(page) == []
    assert "No calls yet" in page


def test_test_mode_has_its_own_calls(see: Callable[..., Any], calls: None) -> None:
    assert len(calls_linked(text_of(see("member", "me", "mode=test")))) == 7


def test_a_member_finds_the_way_out_of_a_team_and_the_owner_does_not(
    see: Callable[..., Any], cast: Cast
) -> None:
    assert "#leave" in text_of(see("member", "me"))
    assert "#leave" not in text_of(see("owner", "me"))


def test_somebody_outside_sees_nothing_of_the_team(see: Callable[..., Any], calls: None, cast: Cast) -> None:
    assert cast.team.name not in text_of(see("outsider", "me"))
    assert cast.team.name not in text_of(see("former", "me"))
