"""Old messages and what was told of periods long over go; a thousand messages of a team stay."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from teams.models import Team
from tests.conftest import Cast
from tests.usage.conftest import NOW
from usage import housekeeping
from usage.alerts.models import Message, ThresholdAlert
from usage.housekeeping import run_housekeeping
from usage.quotas.models import Level


@pytest.fixture
def message(cast: Cast) -> Callable[..., Message]:
    def make(age: timedelta, team: Team | None = None) -> Message:
        at = NOW - age
        return Message.objects.create(team=team or cast.team, body="{}", created_at=at, due_at=at)

    return make


def test_messages_go_after_thirty_days(message: Callable[..., Message]) -> None:
    message(timedelta(days=30, seconds=1))
    kept = message(timedelta(days=30))
    assert run_housekeeping(now=NOW)["messages deleted"] == 1
    assert Message.objects.get() == kept


def test_of_each_team_the_newest_are_kept(
    cast: Cast, message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "MOST_MESSAGES", 3)
    made = [message(timedelta(hours=1)) for _ in range(5)]
    other = message(timedelta(hours=1), team=cast.other_team)
    assert run_housekeeping(now=NOW)["messages deleted"] == 2
    assert set(Message.objects.all()) == {*made[2:], other}


def test_what_was_told_stays_as_long_as_it_matters(cast: Cast) -> None:
    for first_day in (date.min, NOW.date() - timedelta(days=101), NOW.date() - timedelta(days=40)):
        ThresholdAlert.objects.create(
            team=cast.team,
            level=Level.TEAM,
            subject_id=0,
            period="month",
            first_day=first_day,
            limit_nanos=1,
            threshold=50,
            alerted_at=NOW,
        )
    run_housekeeping(now=NOW)
    days = ThresholdAlert.objects.order_by("first_day").values_list("first_day", flat=True)
    assert list(days) == [date.min, NOW.date() - timedelta(days=40)]
