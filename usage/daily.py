"""What levels of quota used by the day: what a pace and the periods that are over are worked out from."""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q

from usage.levels import LevelKey
from usage.models import QuotaUse


class DayUse(NamedTuple):
    """One day of a level that had calls."""

    day: date
    used_nanos: int
    calls: int


def used_by_day(since: Mapping[LevelKey, date]) -> dict[LevelKey, list[DayUse]]:
    """The days of each level from a first one on: one query for all of them."""
    found: dict[LevelKey, list[DayUse]] = {key: [] for key in since}
    if not since:
        return found
    wanted = reduce(or_, (Q(**key._asdict(), day__gte=first) for key, first in since.items()))
    columns = (*LevelKey._fields, *DayUse._fields)
    for row in QuotaUse.objects.filter(wanted).values_list(*columns):
        found[LevelKey(*row[: len(LevelKey._fields)])].append(DayUse(*row[len(LevelKey._fields) :]))
    return found
