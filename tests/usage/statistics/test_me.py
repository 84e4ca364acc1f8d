"""The personal page: one's own usage in every context, and nobody else's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models import Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import HTMX, text_of


def by_context(response: Any) -> dict[str, int]:
    return {one.membership.team.name: one.figures.calls for one in response.context["page"].own.contexts}


@pytest.mark.parametrize(
    ("name", "contexts"),
    [
        ("owner", {"Personal space": 0, "Harbour Research": 0}),
        ("administrator", {"Personal space": 0, "Harbour Research": 2}),
        ("member", {"Personal space": 0, "Harbour Research": 3}),
        ("former", {"Personal space": 0}),
        ("outsider", {"Personal space": 0, "Outside": 0}),
    ],
)
def test_everybody_sees_their_own_contexts_and_calls(
    see: Callable[..., Any], calls: None, name: str, contexts: dict[str, int]
) -> None:
    response = see(name, "me")
    text_of(response)
    assert by_context(response) == contexts


def test_calls_in_the_personal_space_are_there_too(
    see: Callable[..., Any], calls: None, cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    token, _secret = token_of("member", team=space)
    now = timezone.now()
    call = ReportedCall(request_id="own", started_at=now - timedelta(days=2), model="gpt-4o-mini")
    record_calls([call], by=Caller(token=token), now=now)
    response = see("member", "me")
    assert by_context(response) == {"Personal space": 1, "Harbour Research": 3}
    assert response.context["page"].overview.total.calls == 4
    assert sum(point.figures.calls for point in response.context["page"].overview.points) == 4


def test_test_mode_is_apart(see: Callable[..., Any], calls: None) -> None:
    assert by_context(see("member", "me", "mode=test"))["Harbour Research"] == 7


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(see: Callable[..., Any], calls: None) -> None:
    assert see("anonymous", "me").url.startswith("/accounts/login/")


@pytest.mark.parametrize(
    "query",
    [
        "days=7",
        "period=24h",
        "period=last-month&compare=none",
        "granularity=week&period=90d",
        "figures=table",
        "",
    ],
)
def test_any_query_is_a_page(see: Callable[..., Any], calls: None, query: str) -> None:
    assert 'id="usage-me"' in text_of(see("member", "me", query))


def test_a_swap_gets_the_part_and_a_boosted_link_the_whole(see: Callable[..., Any], calls: None) -> None:
    part = see("member", "me", "period=7d", **HTMX)
    assert text_of(part).lstrip().startswith('<div id="usage-me"')
    assert "HX-Request" in part["Vary"]
    assert "<html" in text_of(see("member", "me", **HTMX, **{"HX-Boosted": "true"}))
