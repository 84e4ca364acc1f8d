"""The episodes of a team: what is found in its rollups, what drove it, and what it costs to ask again."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.anomalies.conftest import LUNCH, NOW
from usage.anomalies import find
from usage.anomalies.episodes import Episode, Kind, calls_link, hours_link, in_range
from usage.anomalies.find import Found, find_anomalies, window_of
from usage.anomalies.shown import ShownAnomalies, anomalies_in
from usage.rollups.models import HourMember, HourModel
from usage.rollups.query import Range, UsageQuery

WEEK = Range(NOW - timedelta(days=7), NOW)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_kept(db: None) -> None:
    cache.clear()


def found(cast: Cast, within: Range = WEEK, now: datetime = NOW, mode: Mode = Mode.LIVE) -> list[Episode]:
    return in_range(find_anomalies(cast.team, mode, within, now).episodes, within)


def causes(episode: Any) -> set[tuple[Any, Any]]:
    return {(cause.dimension, cause.label) for cause in episode.causes}


def test_ordinary_weeks_have_no_episode(cast: Cast, usual: None) -> None:
    assert found(cast) == []


def test_a_script_that_runs_away_is_one_episode_with_who_and_what_drove_it(cast: Cast, runaway: None) -> None:
    (episode,) = found(cast)
    assert episode.kind is Kind.CALLS
    assert {Kind.TOKENS, Kind.MEMBER} < set(episode.kinds)
    assert (episode.start, episode.end) == (LUNCH, LUNCH + HOUR)
    assert episode.sentence.startswith("12:00 Thu: 1,02")
    assert causes(episode) == {("member", "Mia"), ("token", "script"), ("model", "gpt-4o-mini")}
    assert all(cause.share > 0.95 for cause in episode.causes)


def test_who_called_alone_in_the_dead_of_night_is_named_and_it_is_one_episode(
    cast: Cast, usual: None, happen: Callable[..., None]
) -> None:
    HourMember.objects.filter(hour__hour__in=[1, 2, 3]).delete()
    HourModel.objects.filter(hour__hour__in=[1, 2, 3]).delete()
    for hour in (1, 2, 3):
        happen("script", 300, at=LUNCH.replace(hour=hour))
    (episode,) = found(cast)
    assert {("member", "Mia"), ("model", "gpt-4o-mini")} <= causes(episode)
    assert Kind.MEMBER in episode.kinds


def test_its_link_carries_its_hours_and_what_drove_it(
    cast: Cast, runaway: None, tokens: dict[str, Token]
) -> None:
    (episode,) = found(cast)
    assert calls_link(cast.team, Mode.LIVE, episode) == (
        f"/t/{cast.team.slug}/logs/?from=2026-11-19T12%3A00&to=2026-11-19T13%3A00"
        f"&member={cast.member.public_id}&model=gpt-4o-mini&token={tokens['script'].public_id}"
    )


def test_the_link_shows_exactly_those_calls(
    cast: Cast, runaway: None, client_of: Callable[..., Client], at_noon: None
) -> None:
    (episode,) = found(cast)
    page = client_of("owner").get(calls_link(cast.team, Mode.LIVE, episode)).content.decode()
    assert "1,000 calls" in page


def total_at(client: Client, address: Any) -> Any:
    return client.get(address).context["page"].total


def test_the_sentences_numbers_are_those_of_its_hours(
    cast: Cast, runaway: None, client_of: Callable[..., Client], at_noon: None
) -> None:
    """Of calls all of them; what drove it is another link."""
    client, (episode,) = client_of("owner"), found(cast)
    total = total_at(client, hours_link(cast.team, Mode.LIVE, episode))
    assert f" {total.calls:,} calls, " in episode.sentence
    assert total_at(client, calls_link(cast.team, Mode.LIVE, episode)).calls == 1000


def test_of_failures_too(
    cast: Cast, usual: None, happen: Callable[..., None], client_of: Callable[..., Client], at_noon: None
) -> None:
    happen("owner", 40, status=429, model="claude-sonnet-4-5")
    client, (episode,) = client_of("owner"), found(cast)
    total = total_at(client, hours_link(cast.team, Mode.LIVE, episode))
    assert f"{100 * total.failed / total.calls:.0f}% of {total.calls} calls failed" in episode.sentence


def test_of_a_members_day_too(
    cast: Cast, usual: None, happen: Callable[..., None], client_of: Callable[..., Client], at_noon: None
) -> None:
    for hour in range(6):
        happen("script", 60, at=LUNCH + hour * HOUR)
    told = [one for episode in found(cast) for one in (episode, *episode.own) if one.kind is Kind.MEMBER]
    assert told
    for episode in told:
        total = total_at(client_of("owner"), hours_link(cast.team, Mode.LIVE, episode))
        assert f"Mia: {total.calls:,} calls in" in episode.sentence


def test_failures_name_their_kind_and_model(cast: Cast, usual: None, happen: Callable[..., None]) -> None:
    happen("owner", 40, status=429, model="claude-sonnet-4-5")
    (episode,) = found(cast)
    assert episode.kind is Kind.ERRORS
    assert "failed (usually" in episode.sentence
    assert {("outcome", "Throttled"), ("model", "claude-sonnet-4-5"), ("member", "Olivia")} <= causes(episode)
    assert "outcome=throttled" in calls_link(cast.team, Mode.LIVE, episode)


def test_slow_hours_link_to_the_calls_above_the_edge(
    cast: Cast, usual: None, happen: Callable[..., None]
) -> None:
    for hour in range(3):
        happen("owner", 30, at=LUNCH + hour * HOUR, latency_ms=6000)
    episode = next(one for one in found(cast) if one.kind is Kind.LATENCY)
    assert "took longer than" in episode.sentence
    assert f"latency_from={episode.slower_than_ms + 1}" in calls_link(cast.team, Mode.LIVE, episode)
    assert ("member", "Olivia") in causes(episode)


def test_modes_are_kept_apart(cast: Cast, runaway: None) -> None:
    assert found(cast, mode=Mode.TEST) == []


def test_an_hour_that_is_not_over_is_not_looked_at(cast: Cast, runaway: None) -> None:
    before = LUNCH + timedelta(minutes=59)
    assert found(cast, within=Range(before - timedelta(days=7), before), now=before) == []
    late = LUNCH + timedelta(minutes=66)
    assert len(found(cast, within=Range(late - timedelta(days=7), late), now=late)) == 1


def test_what_was_found_is_kept_for_the_hour(
    cast: Cast, runaway: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = found(cast)
    with django_assert_num_queries(2):
        assert found(cast, within=Range(NOW - timedelta(days=2), NOW), now=NOW + timedelta(minutes=20)) == first


def test_for_some_minutes_a_process_asks_for_the_stamp_alone(
    cast: Cast, runaway: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = found(cast)
    with django_assert_num_queries(1):
        assert found(cast, now=NOW + timedelta(minutes=9)) == first
    cache.clear()
    with django_assert_num_queries(1):
        assert found(cast, now=NOW + timedelta(minutes=9)) == first
    assert found(cast, now=NOW + timedelta(minutes=11)) == first


def test_what_was_kept_is_not_told_when_times_past_have_changed(
    cast: Cast, usual: None, happen: Callable[..., None]
) -> None:
    assert found(cast) == []
    happen("script", 1000, at=LUNCH - timedelta(days=1))
    (episode,) = found(cast)
    assert episode.kind is Kind.CALLS
    page = UsageQuery(cast.team, Mode.LIVE, WEEK)
    assert len(anomalies_in(page, sees_team=True, now=NOW).notes) == 1


def test_another_team_of_the_same_number_is_told_nothing_of_it(cast: Cast, runaway: None) -> None:
    assert found(cast)
    cast.team.created_at += timedelta(microseconds=1)
    HourModel.objects.all().delete()
    assert found(cast) == []


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_threads_that_want_the_same_find_it_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    real = find.compute

    def compute(*asked: Any) -> Any:
        computed.append(asked)
        time.sleep(0.1)  # so that all have asked
        return real(*asked)

    def ask(_thread: Any) -> Found:
        try:
            return find_anomalies(cast.team, Mode.LIVE, WEEK, NOW)
        finally:
            connection.close()

    monkeypatch.setattr(find, "compute", compute)
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(ask, range(4))
    assert len(computed) == 1
    assert others == [first] * 3


def test_the_number_of_statements_does_not_grow_with_the_episodes(
    cast: Cast, usual: None, happen: Callable[..., None], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for days in (1, 3, 8, 10):
        happen("script", 600, at=LUNCH - timedelta(days=days), status=500)
    with django_assert_max_num_queries(20):  # nine, and those of the cache
        assert len(found(cast, within=Range(NOW - timedelta(days=20), NOW))) >= 3


def test_a_team_in_its_first_week_is_learning(cast: Cast, happen: Callable[..., None]) -> None:
    happen("owner", 3, at=NOW - timedelta(days=2))
    learning = find_anomalies(cast.team, Mode.LIVE, WEEK, NOW)
    assert learning.episodes == ()
    assert learning.learning_until == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_a_team_without_calls_has_nothing(cast: Cast) -> None:
    nothing = find_anomalies(cast.team, Mode.LIVE, WEEK, NOW)
    assert (nothing.episodes, nothing.learning_until) == ((), None)


@pytest.mark.parametrize(
    ("days_back", "days", "start", "end"),
    [
        (7, 7, datetime(2026, 10, 18, 22, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (60, 5, datetime(2026, 8, 31, 22, tzinfo=UTC), datetime(2026, 9, 30, 22, tzinfo=UTC)),
        (3650, 3650, datetime(2026, 7, 31, 22, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (-5, 1, datetime(2026, 10, 18, 22, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)),
    ],
)
def test_few_windows_answer_for_all_ranges(
    cast: Cast, days_back: int, days: int, start: datetime, end: datetime
) -> None:
    begin = NOW - timedelta(days=days_back)
    assert window_of(Range(begin, begin + timedelta(days=days)), cast.team, NOW) == Range(start, end)


def test_filters_by_member_leave_the_episodes_about_them(cast: Cast, runaway: None) -> None:
    def told(**filters: Any) -> ShownAnomalies:
        query = UsageQuery(cast.team, Mode.LIVE, WEEK, **filters)
        return anomalies_in(query, sees_team=True, now=NOW)

    assert len(told(members=(cast.member.pk,)).notes) == 1
    assert told(members=(cast.owner.pk,)).notes == []


def test_a_member_whose_calls_failed_finds_that_too(
    cast: Cast, usual: None, happen: Callable[..., None]
) -> None:
    happen("script", 40, status=500)
    query = UsageQuery(cast.team, Mode.LIVE, WEEK, members=(cast.member.pk,))
    (note,) = anomalies_in(query, sees_team=True, now=NOW).notes
    assert note.episode.kind is Kind.ERRORS
    assert not note.episode.own
    assert anomalies_in(query, sees_team=False, now=NOW).notes == []
    others = replace(query, members=(cast.owner.pk,))
    assert anomalies_in(others, sees_team=True, now=NOW).notes == []


def test_filters_by_model_and_token_leave_the_episodes_that_name_them_as_a_cause(
    cast: Cast, runaway: None, tokens: dict[str, Token]
) -> None:
    def told(**filters: Any) -> int:
        shown = anomalies_in(UsageQuery(cast.team, Mode.LIVE, WEEK, **filters), sees_team=True, now=NOW)
        assert shown.is_named_only
        return len(shown.notes)

    script, owners = tokens["script"].pk, tokens["owner"].pk
    assert told(models=("gpt-4o-mini",)) == told(tokens=(script, owners)) == 1
    assert told(models=("gpt-4o-mini",), tokens=(script,), members=(cast.member.pk,)) == 1
    assert told(models=("claude-sonnet-4-5",)) == told(tokens=(owners,)) == 0
    assert told(models=("gpt-4o-mini",), tokens=(owners,)) == 0


def test_members_are_told_only_of_themselves(cast: Cast, runaway: None) -> None:
    query = UsageQuery(cast.team, Mode.LIVE, WEEK, members=(cast.member.pk,))
    (note,) = anomalies_in(query, sees_team=False, now=NOW).notes
    assert note.episode.kind is Kind.MEMBER
    assert note.episode.sentence.startswith("Mia")
    query = UsageQuery(cast.team, Mode.LIVE, WEEK, members=(cast.administrator.pk,))
    assert anomalies_in(query, sees_team=False, now=NOW).notes == []
