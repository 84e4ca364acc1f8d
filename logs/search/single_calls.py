"""Computes usage figures from single calls, for ranges and filters that no rollup covers (see
`usage.rollups.reader`).
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection

from logs.models import Call, CallTag, KeptCalls
from logs.recording.ids import id_parameters
from teams.models import Mode, Team
from usage.anomalies.details import CallRow
from usage.prices.models import PricedBy
from usage.rollups.folding import COUNTERS, SKETCHES
from usage.rollups.models import Outcome
from usage.rollups.query import Dimension, Granularity, Range, UsageQuery
from usage.rollups.reader import COLUMN, Asked, RawRow
from usage.rollups.sketch import Ints, sketches_of
from usage.rollups.statements import Depth, Select, among, filters_of, run_union, within_filters

# Seconds of a slot: an hour, or a quarter of an hour in time zones whose hours do not begin with those of UTC.
_HOUR_SECONDS, _QUARTER_SECONDS = 3600, 900
_COUNTED = {
    "calls": "COUNT(*)",
    "succeeded": f"COUNT(*) FILTER (WHERE outcome = {Outcome.SUCCEEDED.value})",
    "client_errors": f"COUNT(*) FILTER (WHERE outcome = {Outcome.CLIENT_ERROR.value})",
    "throttled": f"COUNT(*) FILTER (WHERE outcome = {Outcome.THROTTLED.value})",
    "server_errors": f"COUNT(*) FILTER (WHERE outcome = {Outcome.SERVER_ERROR.value})",
    "unpriced": f"COUNT(*) FILTER (WHERE priced_by = {PricedBy.NOTHING.value})",
    "input_tokens": "CAST(SUM(input_tokens) AS bigint)",
    "output_tokens": "CAST(SUM(output_tokens) AS bigint)",
    "cached_tokens": "CAST(SUM(cached_tokens) AS bigint)",
    "cache_write_tokens": "CAST(SUM(cache_write_tokens) AS bigint)",
    "reasoning_tokens": "CAST(SUM(reasoning_tokens) AS bigint)",
    "cost_nanos": "CAST(SUM(cost_nanos) AS bigint)",
    "latency_sum_ms": "CAST(COALESCE(SUM(latency_ms), 0) AS bigint)",
    "latency_count": "COUNT(latency_ms)",
    "ttft_sum_ms": "CAST(COALESCE(SUM(ttft_ms), 0) AS bigint)",
    "ttft_count": "COUNT(ttft_ms)",
}
# For each database: the number of a time slot since 1970, given its seconds; a column's values joined by
# commas.
_DIALECTS = {
    "postgresql": (
        "floor(extract(epoch from started_at) / {})::bigint",
        "string_agg({}::text, ',')",
    ),
    "sqlite": ("CAST(strftime('%%s', started_at) AS INTEGER) / {}", "group_concat({}, ',')"),
}


def count_calls(asked: Sequence[Asked], by: Sequence[Dimension], depth: Depth) -> Iterator[RawRow]:
    """Yields the figures of single calls, one row for each slot of time and combination of dimensions.

    All ranges are read in one SQL statement. Time slots are only used for charts by the hour. Otherwise each
    range lies in one bucket of the chart, and one row for all of it is much less to read.
    """
    pieces = [(query, one) for query, ranges in asked for one in ranges]
    columns = tuple(COLUMN[dimension] for dimension in by)
    rows = run_union([_select(number, *piece, columns, depth) for number, piece in enumerate(pieces)])
    sketches = [sketches_of([_values(row[end]) for row in rows]) for end in (-2, -1)]
    for (number, slot, *row), latency, ttft in zip(rows, *sketches, strict=True):
        query, one = pieces[number]
        # A slot can reach back before the range's start; the calls counted here do not.
        start = one.start if slot is None else datetime.fromtimestamp(slot * _slot_seconds(query, one), UTC)
        at = max(one.start, start)
        yield query.team.pk, at, tuple(row[: len(columns)]), row[len(columns) : -2], latency, ttft


def _select(number: int, query: UsageQuery, one: Range, columns: tuple[str, ...], depth: Depth) -> Select:
    """Returns the SELECT for one range and its parameters; calls are found by the primary key.

    Its columns: the number of the range, the time slot, the dimensions, the sums, and the values for
    percentiles.
    """
    within, values = within_filters(filters_of(query))
    of_team = [query.team.pk, query.mode, *id_parameters(one)]
    if query.tags:
        tagged, tags = among("tag", query.tags)
        within += f" AND {_CALLS}.id IN (SELECT id FROM {_TAGS} WHERE {_WITHIN} AND {tagged})"  # noqa: S608  # our own names
        values += [*of_team, *tags]
        if "tag" in columns:  # leave out the other tags of a call
            asked, tags = among(_TAG_TABLES[connection.vendor][1], query.tags)
            within, values = f"{within} AND {asked}", [*values, *tags]
    text = _text(connection.vendor, _slot_seconds(query, one), columns, depth, within)
    return text, [number, *of_team, *values]


def _slot_seconds(query: UsageQuery, one: Range) -> int:
    """Returns the seconds of the time slots in which calls are counted; 0 if the chart is not by the hour.

    A slot is a whole hour, or a quarter of one if the time zone's offset from UTC has minutes at either end of
    the range. The range is too short for the clock to change twice.
    """
    if query.granularity is not Granularity.HOUR:
        return 0
    offsets = [at.astimezone(query.zone).utcoffset() or timedelta() for at in (one.start, one.end)]
    return _QUARTER_SECONDS if any(offset % timedelta(hours=1) for offset in offsets) else _HOUR_SECONDS


_CALLS, _TAGS = Call._meta.db_table, CallTag._meta.db_table
_WITHIN = "team_id = %s AND mode = %s AND id >= %s AND id < %s"
# A join that makes one row for each different tag of a call, or one row for a call without tags; and the tag's
# column.
_TAG_TABLES = {
    "postgresql": (
        f" LEFT JOIN LATERAL (SELECT DISTINCT jsonb_array_elements_text({_CALLS}.tags) AS tag) tags ON TRUE",
        "tags.tag",
    ),
    "sqlite": (
        f""" LEFT JOIN json_each({_CALLS}.tags) tags ON NOT EXISTS (
  SELECT 1 FROM json_each({_CALLS}.tags) same WHERE same.value = tags.value AND same.key < tags.key)""",  # noqa: S608  # our own names
        "tags.value",
    ),
}


@functools.lru_cache(maxsize=256)  # filters can have any number of values
def _text(vendor: str, slot_seconds: int, columns: tuple[str, ...], depth: Depth, filters: str) -> str:
    by_slot, listed = _DIALECTS[vendor]
    slot = by_slot.format(slot_seconds) if slot_seconds else "NULL"
    more, tag = _TAG_TABLES[vendor] if "tag" in columns else ("", "")
    named = [f"COALESCE({tag}, '')" if name == "tag" else name for name in columns]
    sums = [_COUNTED[name] if name in depth.counters else "0" for name in COUNTERS]
    values = [
        listed.format(name) if sketch in depth.sketches else "''"
        for name, sketch in zip(("latency_ms", "ttft_ms"), SKETCHES, strict=True)
    ]
    selected = ", ".join(["%s", f"{slot} AS slot", *named, *sums, *values])
    # Grouped by team too: without any group, a SELECT of sums returns a row even if no calls match.
    groups = ", ".join(["team_id", *(["slot"] if slot_seconds else []), *named])
    within = f"team_id = %s AND mode = %s AND {_CALLS}.id >= %s AND {_CALLS}.id < %s{filters}"
    return f"SELECT {selected} FROM {_CALLS}{more} WHERE {within} GROUP BY {groups}"  # noqa: S608  # our own names


def kept_sql(vendor: str) -> str:
    """Returns the SQL that selects since when a team's calls are stored; older ones were deleted. Used by
    `usage.rollups.resolution`.
    """
    second = _SINCE[vendor]
    return f"SELECT %s, 2, {second} FROM {KeptCalls._meta.db_table} WHERE team_id = %s"  # noqa: S608  # our own names


_SINCE = {
    "postgresql": "extract(epoch from since)::bigint",
    "sqlite": "CAST(strftime('%%s', since) AS INTEGER)",
}


def _values(listed: str | None) -> Ints:
    return np.fromstring(listed or "", dtype=np.int64, sep=",")


def count_by_token(team: Team, mode: Mode, ranges: Sequence[Range]) -> Iterable[CallRow]:
    """Yields the figures of the calls in a few hours by member, token and model, for `usage.anomalies.details`."""
    query = UsageQuery(team, mode, ranges[0], granularity=Granularity.HOUR)
    names = ("calls", "input_tokens", "output_tokens", "cost_nanos", "succeeded")
    places = [COUNTERS.index(name) for name in names]
    by = (Dimension.MEMBER, Dimension.TOKEN, Dimension.MODEL)
    for _team, at, key, counters, *_no_sketches in count_calls([(query, ranges)], by, Depth(frozenset(names))):
        calls, taken_in, given_out, cost, succeeded = (counters[place] for place in places)
        yield at, *key, calls, taken_in + given_out, cost, calls - succeeded
