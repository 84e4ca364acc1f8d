"""The page of refusals: by hour and limit, newest first; a member's own only."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import HTMX, text_of
from usage.quotas.models import Level, Refusal


@pytest.fixture
def rows(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> Any:
    """In each of the last 60 hours the team's limit refused one, Mia's two, Olivia's token four."""
    token = token_of("owner")[0]
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    Refusal.objects.bulk_create(
        Refusal(
            team_id=cast.team.pk,
            mode=0,
            hour=hour - timedelta(hours=n),
            level=level,
            subject_id=pk,
            refused=count,
        )
        for n in range(60)
        for level, pk, count in [
            (Level.TEAM, 0, 1),
            (Level.MEMBER, cast.member.pk, 2),
            (Level.TOKEN, token.pk, 4),
        ]
    )
    return token


@pytest.fixture
def at(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    def get(query: str = "", who: str = "owner", **headers: Any) -> Any:
        address = reverse("usage:refusals", args=[cast.team.slug])
        return client_of(who).get(f"{address}?{query}", headers=headers)

    return get


def test_all_limits_of_the_team_are_listed_newest_first_and_paged(rows: Any, at: Callable[..., Any]) -> None:
    page = at("period=7d").context["page"]
    assert page.refused == 420
    assert [one.limit for one in page.rows[:3]] == [
        "limit of the token laptop",
        "member limit of Mia",
        "limit of the team",
    ]
    hours = [one.refused.since for one in page.rows]
    assert hours == sorted(hours, reverse=True)
    last = at("period=7d&page=4").context["page"]
    assert (len(page.rows), len(last.rows)) == (50, 30)
    assert "420 calls refused for quota" in text_of(at("period=7d&page=4"))


@pytest.mark.parametrize(
    ("asked", "refused"), [("level=team", 60), ("level=member", 120), ("level=token", 240), ("level=owner", 0)]
)
def test_one_level_can_be_asked_for(rows: Any, at: Callable[..., Any], asked: str, refused: int) -> None:
    assert at(f"period=7d&{asked}").context["page"].refused == refused


def test_a_member_sees_their_own_limits_only(cast: Cast, rows: Any, at: Callable[..., Any]) -> None:
    for asked in ("", "&level=token", f"&member={cast.member.public_id}"):
        page = at(f"period=7d{asked}", "member").context["page"]
        assert page.refused == (0 if "token" in asked else 120)
    assert "You have no token" in text_of(at(f"period=7d&token={rows.public_id}", "member"))
    other = text_of(at(f"period=7d&member={cast.owner.public_id}", "member"))
    assert "You may only see your own calls" in other
    assert "Quotas</a>" not in text_of(at("period=7d", "member")).partition("<main")[2]


def test_nothing_refused_is_said(cast: Cast, at: Callable[..., Any]) -> None:
    assert "No refused calls" in text_of(at("period=30d"))


def test_of_some_models_it_says_that_nobody_knows_instead_of_none(rows: Any, at: Callable[..., Any]) -> None:
    html = text_of(at("period=7d&level=team&model=gpt-5"))
    assert "Refused calls are counted without a model." in html
    assert "0 calls refused" not in html
    assert "No refused calls" not in html
    (href,) = re.findall(
        r'<a class="toggle" href="([^"]*)"[^>]*>(?:(?!</a>).)*Show all models', html, re.DOTALL
    )
    assert at(href.replace("&amp;", "&").lstrip("?")).context["page"].refused == 60


@pytest.mark.parametrize("page", ["overview", "me"])
def test_the_files_of_some_models_say_that_nobody_knows_either(
    cast: Cast, rows: Any, see: Callable[..., Any], page: str
) -> None:
    def refused(query: str) -> int | None:
        return json.loads(text_of(see("member", f"{page}-export", f"period=7d&format=json{query}")))["refused"]

    assert refused("") == 120
    assert refused("&model=gpt-5") is None


def test_htmx_gets_the_part(rows: Any, at: Callable[..., Any]) -> None:
    assert "<html" not in text_of(at("period=7d", **HTMX))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("level=floor", "Select a valid choice"),
        ("member=usr_nobody", "There is no member “usr_nobody”"),
        ("page=0", "greater than or equal to 1"),
        ("from=2026-02-01T00:00&to=2026-01-01T00:00", "The end must be after the start."),
    ],
)
def test_nonsense_is_told(at: Callable[..., Any], asked: str, words: str) -> None:
    assert words in text_of(at(asked))
