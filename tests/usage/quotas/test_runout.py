"""When a quota ends at the present pace, and how that is said."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.usage.conftest import nanos
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period, QuotaUse
from usage.quotas.runout import pace_sentence, paces, reset_sentence, run_out

BERLIN = ZoneInfo("Europe/Berlin")
# A Sunday noon in Berlin; the month resets on 1 December.
NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
RESET = datetime(2026, 11, 30, 23, tzinfo=UTC)


def state(limit: str = "100", used: str = "50", reserved: str = "0", resets_at: datetime = RESET) -> LevelState:
    return LevelState(
        level=Level.MEMBER,
        team_id=1,
        subject_id=2,
        limit_nanos=None if limit is None else nanos(limit),
        used_nanos=nanos(used),
        reserved_nanos=nanos(reserved),
        period=Period.MONTH if resets_at else Period.NONE,
        starts_at=None,
        resets_at=resets_at,
        zone=BERLIN,
    )


def said(limit: Any, used: Any, per_day: Any, resets_at: datetime = RESET) -> str:
    return pace_sentence(run_out(state(limit, used, resets_at=resets_at), nanos(per_day), NOW))


@pytest.mark.parametrize(
    ("limit", "used", "per_day", "sentence"),
    [
        ("100", "75.40", "4.10", "At $4.10 a day, the quota ends on 28 November, 3 days before the reset."),
        ("100", "70", "3.60", "At $3.60 a day, the quota ends on 30 November, 1 day before the reset."),
        ("100", "50", "1", "At $1.00 a day, $58.50 will be used by the reset."),
        ("100", "50", "0", "Nothing was used in the last 7 days."),
        ("100", "100", "4", "Nothing is left until 1 December."),
        ("100", "120", "0", "Nothing is left until 1 December."),
        ("0", "0", "0", "Nothing is left until 1 December."),
    ],
)
def test_the_sentence_names_the_pace_the_day_and_how_long_before_the_reset(
    limit: str, used: str, per_day: str, sentence: str
) -> None:
    assert said(limit, used, per_day) == sentence


@pytest.mark.parametrize(
    ("used", "per_day", "sentence"),
    [
        ("75.40", "4.10", "At $4.10 a day, the quota ends on 28 November."),
        ("50", "0.01", "At $0.0100 a day, the quota lasts for more than two years."),
        ("100", "1", "Nothing is left. Never resets."),
    ],
)
def test_a_quota_that_never_resets(used: str, per_day: str, sentence: str) -> None:
    assert said("100", used, per_day, resets_at=None) == sentence


def test_what_is_reserved_is_as_good_as_used() -> None:
    assert run_out(state("100", "50", reserved="50"), nanos("1"), NOW).ends_at == NOW


def test_without_a_limit_nothing_runs_out() -> None:
    assert run_out(state(limit=None), nanos("4"), NOW) is None


@pytest.mark.parametrize(
    ("resets_at", "sentence"),
    [
        (RESET, "Resets in 9 days, on 1 December."),
        (NOW + timedelta(hours=12), "Resets tomorrow, on 23 November."),
        (NOW + timedelta(hours=5), "Resets today."),
        (None, "Never resets."),
    ],
)
def test_the_reset_is_told_in_days_and_by_its_date(resets_at: datetime | None, sentence: str) -> None:
    assert reset_sentence(state(resets_at=resets_at), NOW) == sentence


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
def test_it_ends_before_the_reset_or_never_and_when_it_ends_all_is_used(
    limit: Any, used: Any, per_day: Any
) -> None:
    level = LevelState(Level.TEAM, 1, 0, limit, used, 0, Period.MONTH, None, RESET, BERLIN)
    out = run_out(level, per_day, NOW)
    if out.ends_at is None:
        assert level.available_nanos > 0
        assert out.expected_nanos <= limit + 1
    else:
        assert NOW <= out.ends_at < RESET
        days = (out.ends_at - NOW) / timedelta(days=1)
        assert per_day * days == pytest.approx(level.available_nanos, rel=1e-3, abs=1 + per_day / 10**6)


def test_the_pace_is_that_of_the_last_seven_days_or_since_the_first_call_of_them(db: None) -> None:
    for subject, days in {
        2: {"2026-11-15": "700", "2026-11-16": "13", "2026-11-22": "13"},
        3: {"2026-11-22": "4"},
    }.items():
        for day, usd in days.items():
            QuotaUse.objects.create(
                team_id=1, mode=0, level=Level.MEMBER, subject_id=subject, day=day, used_nanos=nanos(usd)
            )
    levels = [LevelState(Level.MEMBER, 1, who, 1, 0, 0, Period.MONTH, None, None, BERLIN) for who in (2, 3, 4)]
    assert paces(levels, 0, NOW) == [nanos("4"), nanos("4"), 0]
    assert paces(levels, 1, NOW) == [0, 0, 0]
    assert paces([], 0, NOW) == []
