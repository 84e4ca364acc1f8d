"""No page asks more than 16 times, however many members and calls there are."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.members import add_member
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from teams.activity import SITE
from teams.models import Team, User
from tests.conftest import Cast

PERIODS = ["24h", "7d", "30d", "90d", "month", "last-month"]
MOST = 16  # by token at odd minutes, of which no table knows the hours, and of several contexts; else 15


@pytest.fixture
def grow(cast: Cast, calls: None) -> Callable[..., None]:
    """`grow("a")`: ten more members, each with a token and calls on 40 days, of 8 models and Mia's and Adam's."""

    def add(name: str) -> None:
        now = timezone.now()
        for n in range(10):
            user = create_user(email=f"{name}{n}@example.org", name=f"Member {n}", verified=True)
            add_member(by=SITE, team=cast.team, user=user)
            _report(cast.team, user, f"{name}{n}", now)
        for user in (cast.member, cast.administrator):
            _report(cast.team, user, f"{name}-{user.pk}", now)

    return add


def _report(team: Team, user: User, name: str, now: datetime) -> None:
    token, _secret = create_token(by=SITE, team=team, user=user, name="laptop")
    reported = [
        ReportedCall(
            request_id=f"{name}-{day}",
            started_at=now - timedelta(days=day, minutes=7),
            model=("gpt-4o", "gpt-4o-mini", *(f"model-{n}" for n in range(6)))[day % 8],
            latency_ms=100 + day,
        )
        for day in range(40)
    ]
    record_calls(reported, by=Caller(token=token), now=now)


@pytest.fixture
def settled(see: Callable[..., Any]) -> None:
    """The session and the note of the last team are there; what is counted is the page."""
    for name in ("owner", "administrator", "member"):
        see(name)


PAGES = [
    *((name, "overview", f"period={period}") for name in ("owner", "member") for period in PERIODS),
    *(("owner", "ranking", f"period={period}") for period in PERIODS),
    # An administrator's page also looks for an offer to take over.
    ("administrator", "overview", "from=2026-01-01T00:17&to=2026-11-24T11:13"),
    ("administrator", "overview", "model=gpt-4o&member=mia@example.org&period=30d"),
    ("administrator", "ranking", "model=gpt-4o&from=2026-01-01T00:17&to=2026-11-24T11:13"),
    ("owner", "overview", "model=gpt-4o&member=mia@example.org&period=30d"),
    ("owner", "ranking", "model=gpt-4o&member=mia@example.org&period=7d"),
    ("owner", "overview", "from=2026-01-01T00:17&to=2026-11-24T11:13"),
    ("owner", "overview", "mode=test&figures=table"),
    *(("owner", page, f"period=30d&by={by}") for page in ("overview", "top") for by in ("token", "model")),
    ("administrator", "overview", "by=token&from=2026-01-01T00:17&to=2026-11-24T11:13"),
    ("owner", "me", "period=90d"),
    ("member", "me", "period=7d"),
]


@pytest.mark.parametrize(("name", "page", "query"), PAGES)
def test_a_small_team_needs_few_queries(
    see: Callable[..., Any],
    calls: None,
    settled: None,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    name: Any,
    page: Any,
    query: Any,
) -> None:
    # Once an hour somebody's page works out what was unusual; it is at hand for all others.
    see(name, page, query)
    with django_assert_max_num_queries(MOST):
        assert see(name, page, query).status_code == 200


def test_a_large_team_needs_no_more(
    see: Callable[..., Any],
    grow: Callable[..., None],
    settled: None,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def count(name: str, page: Any, query: Any) -> int:
        see(name, page, query)  # works out what was unusual, once an hour
        with django_assert_max_num_queries(MOST) as captured:
            assert see(name, page, query).status_code == 200
        return len(captured)

    grow("a")
    large = [count(*page) for page in PAGES]
    grow("b")
    assert [count(*page) for page in PAGES] == large
