"""The busiest hours of the week on the overview."""

from datetime import UTC, datetime, timedelta

import pytest

from teams.models import Mode
from tests.usage.unusual.conftest import LUNCH, at_noon, happen, tokens  # noqa: F401
from usage.busiest import busiest_hours
from usage.query import Granularity, Range, UsageQuery
from usage.statistics import overview


@pytest.fixture
def busiest(cast, happen):  # noqa: F811
    """Forty calls on Thursday at 12:00 of this week, twenty of the one before."""
    happen("owner", 40)
    happen("member", 20, at=LUNCH - timedelta(weeks=1))

    def ask(days: int, granularity=Granularity.DAY, **filters):
        end = datetime(2026, 11, 20, 12, tzinfo=UTC)
        within = Range(end - timedelta(days=days), end)
        query = UsageQuery(cast.team, Mode.LIVE, within, granularity=granularity, **filters)
        return busiest_hours(query, overview(query))

    return ask


@pytest.mark.parametrize(("days", "calls"), [(7, 40), (14, 30), (28, 15)])
@pytest.mark.parametrize("granularity", [Granularity.HOUR, Granularity.DAY])
def test_calls_are_averaged_over_the_weeks(busiest, days, calls, granularity):
    found = busiest(days, granularity)
    assert found.summary == f"Thu 12:00: {calls} calls"
    assert found.days[3][1][12].shade == 5
    assert found.days[0][1][12].shade == 0


def test_filters_by_model_or_member_are_known_by_the_hour_and_others_are_not(busiest, cast, tokens):  # noqa: F811
    assert busiest(14, members=(cast.member.pk,)).summary == "Thu 12:00: 10 calls"
    assert busiest(14, models=("gpt-4o-mini",)).summary == "Thu 12:00: 30 calls"
    assert busiest(14, models=("other",)).summary == ""
    assert busiest(14, tokens=(tokens["owner"].pk,)) is None


def test_less_than_a_week_has_no_busiest_hours(busiest):
    assert busiest(6) is None


def test_the_overview_shows_them(cast, busiest, client_of, at_noon):  # noqa: F811
    html = client_of("owner").get(f"/t/{cast.team.slug}/").content.decode()
    assert "Busiest hours of the week" in html
    assert "Thu 12:00: 40 calls" in html
