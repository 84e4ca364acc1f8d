"""Periods that are over stay visible."""

from datetime import date

from tests.usage.conftest import NOW, nanos
from usage.levels import LevelKey
from usage.models import Level, Period, QuotaUse
from usage.past import Asked, past_periods


def test_past_months_are_told_newest_first_from_the_first_with_calls(cast):
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
    key = LevelKey(cast.team.pk, 0, Level.TEAM, 0)
    (found,) = past_periods([Asked(key, Period.MONTH, cast.team.zone)], NOW)
    assert [(past.span.first, past.used_nanos, past.calls) for past in found] == [
        (date(2026, 10, 1), nanos("3"), 2),
        (date(2026, 9, 1), 0, 0),
        (date(2026, 8, 1), nanos("4"), 1),
    ]
    never, in_test_mode = past_periods(
        [
            Asked(key, Period.NONE, cast.team.zone),
            Asked(key._replace(mode=1), Period.MONTH, cast.team.zone),
        ],
        NOW,
    )
    assert never == in_test_mode == []
