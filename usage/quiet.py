"""What lies ahead of a range's end: usually a rest of the day without calls, so that day rollups answer for it.

Most questions go up to the current hour. Without this the day they end in is added up from hours, or from single
calls where no rollup knows hours (of tokens, and of members by model).
"""

from collections.abc import Sequence
from dataclasses import replace

from usage.buckets import day_of, day_start, hour_of
from usage.models import HourModel
from usage.query import Granularity, Range, UsageQuery, next_bucket
from usage.rollup_sql import KEYS, Slice, sums_of


def with_quiet_ends(queries: Sequence[UsageQuery]) -> list[UsageQuery]:
    """The questions, and of each whether the rest of its last day is known to have no calls (`UsageQuery.quiet`).

    One statement. Nothing is known of a question that ends within an hour, and nothing has to be of one that ends
    with a day.
    """
    ahead = {place: rest for place, query in enumerate(queries) if (rest := _rest_of_day(query))}
    looked_at = [_hours_of(queries[place], rest) for place, rest in ahead.items()]
    busy = {list(ahead)[number] for number, *_sums in sums_of(looked_at, ())}
    return [
        replace(query, quiet=ahead[place]) if place in ahead.keys() - busy else query
        for place, query in enumerate(queries)
    ]


def _rest_of_day(query: UsageQuery) -> Range | None:
    end = query.range.end
    if end != hour_of(end, query.zone) or end == day_start(day_of(end, query.zone), query.zone):
        return None
    return Range(end, next_bucket(end, Granularity.DAY, query.zone))


def _hours_of(query: UsageQuery, within: Range) -> Slice:
    everything = replace(query, members=(), models=(), tokens=())
    return Slice(everything, HourModel, within.start, within.end, by_slot=False, depth=KEYS)
