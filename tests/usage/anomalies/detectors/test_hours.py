"""Which hours an episode covers: those that made it, not the whole windows that found it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from teams.models import Mode
from tests.conftest import Cast
from tests.usage.anomalies.conftest import LUNCH, NOW
from usage.anomalies.episodes import Kind, in_range
from usage.anomalies.find import find_anomalies
from usage.rollups.query import Range

WEEK = Range(NOW - timedelta(days=7), NOW)
HOUR = timedelta(hours=1)


@pytest.fixture
def found(cast: Cast) -> Callable[..., Any]:
    def look() -> Any:
        cache.clear()
        (episode,) = in_range(find_anomalies(cast.team, Mode.LIVE, WEEK, NOW).episodes, WEEK)
        return episode

    return look


def test_a_members_episode_is_the_hour_of_their_burst_though_the_sentence_counts_six(
    found: Callable[..., Any], runaway: None
) -> None:
    (own,) = found().own
    assert (own.start, own.end, own.peak) == (LUNCH, LUNCH + HOUR, LUNCH)
    assert "in 6 h" in own.sentence


def test_two_bursts_within_hours_are_one_episode_with_what_lies_between(
    found: Callable[..., Any], usual: None, happen: Callable[..., None]
) -> None:
    happen("script", 300, at=LUNCH)
    happen("script", 500, at=LUNCH + 3 * HOUR)
    episode = found()
    assert (episode.start, episode.end, episode.peak) == (LUNCH, LUNCH + 4 * HOUR, LUNCH), "told of the first"
    (own,) = episode.own
    assert (own.start, own.end, own.peak) == (LUNCH, LUNCH + 4 * HOUR, LUNCH + 3 * HOUR)


def test_a_members_day_that_is_unusual_as_a_whole_is_told_from_its_first_hour_to_its_last(
    found: Callable[..., Any], usual: None, happen: Callable[..., None]
) -> None:
    for hour in range(-3, 8):
        happen("script", 60, at=LUNCH + hour * HOUR)
    episode = found()
    own = next(one for one in (episode, *episode.own) if one.kind is Kind.MEMBER)
    assert (own.start, own.end) == (LUNCH - 3 * HOUR, LUNCH + 8 * HOUR)


def test_what_goes_on_rising_after_the_last_alarm_belongs_to_it(
    found: Callable[..., Any], usual: None, happen: Callable[..., None]
) -> None:
    for hour in range(8):
        happen("script", 150 + 40 * hour, at=LUNCH - 2 * HOUR + hour * HOUR)
    episode = found()
    assert (episode.start, episode.end) == (LUNCH - 2 * HOUR, LUNCH + 6 * HOUR)


def test_failures_are_told_by_the_hours_that_had_them(
    found: Callable[..., Any], usual: None, happen: Callable[..., None]
) -> None:
    happen("script", 40, status=500)
    episode = found()
    assert episode.kind is Kind.ERRORS
    assert (episode.start, episode.end, episode.peak) == (LUNCH, LUNCH + HOUR, LUNCH)
