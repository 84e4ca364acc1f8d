"""Reads the use of quota levels by day, from which paces and past periods are computed."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection

from usage.quotas.levels import LevelKey
from usage.quotas.models import QuotaUse
from usage.rollups.bulk import read_values
from usage.rollups.statements import run_union


class DayUse(NamedTuple):
    """The use of a quota level on one day that had calls."""

    day: date
    used_nanos: int
    calls: int


def used_by_day(since: Mapping[LevelKey, date]) -> dict[LevelKey, list[DayUse]]:
    """Returns the use by day of each quota level, from the given first day on. Runs one SQL statement."""
    keys, day = [*since], QuotaUse._meta.get_field("day")
    selects = [
        (_DAYS, (place, *key, day.get_db_prep_value(since[key], connection, prepared=False)))
        for place, key in enumerate(keys)
    ]
    found: dict[LevelKey, list[DayUse]] = {key: [] for key in keys}
    for place, *values in read_values(QuotaUse, DayUse._fields, run_union(selects), before=1):
        found[keys[place]].append(DayUse(*values))
    return found


_DAYS = (
    f"SELECT %s, {', '.join(DayUse._fields)} FROM {QuotaUse._meta.db_table} "  # noqa: S608  # our own names
    f"WHERE {' AND '.join(f'{name} = %s' for name in LevelKey._fields)} AND day >= %s"
)
