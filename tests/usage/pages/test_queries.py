"""No page asks more than 15 times, however many members and calls there are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from logs.callers import Caller
from logs.record import record_calls
from logs.reported import ReportedCall
from teams.actions.members import add_member
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from teams.activity import SITE

PERIODS = ["24h", "7d", "30d", "90d", "month", "last-month"]
MOST = 15


@pytest.fixture
def many(cast, calls):
    """25 more members with a token and calls on 40 days each, of 8 models."""
    now = timezone.now()
    for n in range(25):
        user = create_user(email=f"m{n}@example.org", name=f"Member {n}", verified=True)
        add_member(by=SITE, team=cast.team, user=user)
        token, _secret = create_token(by=SITE, team=cast.team, user=user, name="laptop")
        reported = [
            ReportedCall(
                request_id=f"{n}-{day}",
                started_at=now - timedelta(days=day, minutes=7 * n),
                model=f"model-{day % 8}",
                latency_ms=100 + day,
            )
            for day in range(40)
        ]
        record_calls(reported, by=Caller(token=token), now=now)


@pytest.fixture
def settled(see):
    """The session and the note of the last team are there; what is counted is the page."""
    for name in ("owner", "member"):
        see(name)


PAGES = [
    *((name, "overview", f"period={period}") for name in ("owner", "member") for period in PERIODS),
    *(("owner", "ranking", f"period={period}") for period in PERIODS),
    ("owner", "overview", "model=gpt-4o&member=mia@example.org&period=30d"),
    ("owner", "ranking", "model=gpt-4o&member=mia@example.org&period=7d"),
    ("owner", "overview", "from=2026-01-01T00:17&to=2026-11-24T11:13"),
    ("owner", "overview", "mode=test&figures=table"),
    ("owner", "me", "days=90"),
    ("member", "me", "days=7"),
]


@pytest.mark.parametrize(("name", "page", "query"), PAGES)
def test_a_small_team_needs_few_queries(see, calls, settled, django_assert_max_num_queries, name, page, query):
    with django_assert_max_num_queries(MOST):
        assert see(name, page, query).status_code == 200


def test_a_large_team_needs_no_more(see, calls, settled, request, django_assert_max_num_queries):
    def count(name, page, query) -> int:
        with django_assert_max_num_queries(MOST) as captured:
            assert see(name, page, query).status_code == 200
        return len(captured)

    small = [count(*page) for page in PAGES]
    request.getfixturevalue("many")
    large = [count(*page) for page in PAGES]
    # An empty period asks once more, whether there were ever any calls.
    assert all(now <= before for now, before in zip(large, small, strict=True)), (small, large)
