"""Periods that are over stay visible."""

from datetime import date

from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos
from usage.quotas.daily import DayUse, used_by_day
from usage.quotas.history import past_periods, past_since
from usage.quotas.levels import LevelKey
from usage.quotas.models import Level, Period, QuotaUse


def test_past_months_are_told_newest_first_from_the_first_with_calls(cast: Cast) -> None:
    for day, usd in [("2026-11-01", "9"), ("2026-10-31", "1"), ("2026-10-01", "2"), ("2026-08-02", "4")]:
        QuotaUse.objects.create(
            team_id=cast.team.pk,
            mode=0,
            level=Level.TEAM,
            subject_id=0,
            day=day,
            used_nanos=nanos(usd),
            calls=1,
        )
    key, zone = LevelKey(cast.team.pk, 0, Level.TEAM, 0), cast.team.zone
    since = past_since(Period.MONTH, zone, NOW)
    in_test_mode = key._replace(mode=1)
    days = used_by_day({key: since, in_test_mode: since})
    found = past_periods(Period.MONTH, zone, days[key], NOW)
    assert [(past.span.first, past.used_nanos, past.calls) for past in found] == [
        (date(2026, 10, 1), nanos("3"), 2),
        (date(2026, 9, 1), 0, 0),
        (date(2026, 8, 1), nanos("4"), 1),
    ]
    assert past_periods(Period.MONTH, zone, days[in_test_mode], NOW) == []


def test_what_never_resets_has_no_past(cast: Cast) -> None:
    assert past_since(Period.NONE, cast.team.zone, NOW) is None
    assert past_periods(Period.NONE, cast.team.zone, [DayUse(date(2026, 8, 2), 1, 1)], NOW) == []
