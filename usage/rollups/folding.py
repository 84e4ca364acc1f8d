"""Adds calls to the rollup tables, in the transaction that stores the calls.

Numpy computes the sums for a whole batch of calls of one team and mode. All rollup tables have the same
counters, but different key columns. The database adds the counters to existing rows. Sketches are read, merged
in Python and written back, which is safe because the team's row is locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from django.utils import timezone

from usage.rollups.bulk import add_up, fetch_by_keys
from usage.rollups.cache import note_times
from usage.rollups.models import ROLLUPS, Counters
from usage.rollups.sketch import BUCKETS, Ints, bucket_of, encode_all, merged_by


class Fact(NamedTuple):
    """The values of one call that the rollups need. Costs in nano-dollars, times in ms (-1: unknown)."""

    hour: datetime
    day: date
    member_id: int
    token_id: int
    model: str
    outcome: int  # 0 succeeded, 1 client error, 2 throttled, 3 server error
    unpriced: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_nanos: int
    latency_ms: int
    ttft_ms: int


COUNTERS = (
    "calls",
    "succeeded",
    "client_errors",
    "throttled",
    "server_errors",
    "unpriced",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_nanos",
    "latency_sum_ms",
    "latency_count",
    "ttft_sum_ms",
    "ttft_count",
)
SKETCHES = ("latency_sketch", "ttft_sketch")
_FIRST_NUMBER = Fact._fields.index("outcome")


@dataclass
class Folded:
    """The rows that a batch of calls adds to one rollup table: key columns, counters and sketches."""

    rollup: type[Counters]
    keys: list[tuple[Any, ...]]
    counters: Ints  # keys × COUNTERS
    sketches: list[list[bytes]] = field(default_factory=list)  # one list for each of SKETCHES


def fold(facts: Sequence[Fact]) -> list[Folded]:
    """Computes the rows that these calls add to each rollup table, sorted by key. Does not access the database.

    All calls must be of one team and mode.
    """
    numbers = np.array([fact[_FIRST_NUMBER:] for fact in facts], dtype=np.int64)
    sums = _counters(numbers)
    latency, ttft = numbers[:, -2], numbers[:, -1]
    buckets = [np.where(values >= 0, bucket_of(values), -1) for values in (latency, ttft)]
    return [_fold_one(rollup, facts, sums, buckets) for rollup in ROLLUPS]


def _counters(numbers: Ints) -> Ints:
    """Returns what each call adds to COUNTERS, as an array of calls × counters."""
    outcome, latency, ttft = numbers[:, 0], numbers[:, -2], numbers[:, -1]
    known, started = latency >= 0, ttft >= 0
    columns = [
        np.ones(len(numbers), dtype=np.int64),
        *(outcome == kind for kind in range(4)),
        *numbers[:, 1:-2].T,
        np.where(known, latency, 0),
        known,
        np.where(started, ttft, 0),
        started,
    ]
    return np.column_stack([column.astype(np.int64) for column in columns])


def _fold_one(rollup: type[Counters], facts: Sequence[Fact], sums: Ints, buckets: Sequence[Ints]) -> Folded:
    positions = [Fact._fields.index(name) for name in rollup.DIMENSIONS]
    of_fact = [tuple(fact[position] for position in positions) for fact in facts]
    keys = sorted(set(of_fact))
    row_of = {key: row for row, key in enumerate(keys)}
    rows = np.fromiter((row_of[key] for key in of_fact), dtype=np.int64, count=len(of_fact))
    counters = np.zeros((len(keys), sums.shape[1]), dtype=np.int64)
    np.add.at(counters, rows, sums)
    return Folded(rollup, keys, counters, [_sketches(rows, values, len(keys)) for values in buckets])


def _sketches(rows: Ints, buckets: Ints, size: int) -> list[bytes]:
    """Returns the sketch of each row, as bytes.

    `rows` is the row number of each call, `buckets` its bucket (-1: unknown, not counted), and `size` the
    number of rows.
    """
    known = buckets >= 0
    cells, counts = np.unique(rows[known] * BUCKETS + buckets[known], return_counts=True)
    owner, bucket = np.divmod(cells, BUCKETS)
    return encode_all(owner, bucket, counts.astype(np.int64), size)


def add_calls(*, team_id: int, mode: int, facts: Sequence[Fact]) -> None:
    """Adds calls to all rollup tables of a team.

    Must run in the transaction that stores the calls, while the team's row is locked.
    """
    if not facts:
        return
    for folded in fold(facts):
        _store(folded, {"team_id": team_id, "mode": mode})
    note_times((fact.hour for fact in facts), team_id=team_id, mode=mode, now=timezone.now())


def replace_calls(
    *, team_id: int, mode: int, before: Sequence[Fact], after: Sequence[Fact], now: datetime
) -> None:
    """Subtracts the calls in `before` from all rollup tables of a team, and adds those in `after`.

    The calls in `before` must have been added to the rollups earlier. Rows without any remaining call are
    deleted. Must run in the transaction that changes the calls, while the team's row is locked.
    """
    if not before and not after:
        return
    space = {"team_id": team_id, "mode": mode}
    taken, added = (
        {folded.rollup: folded for folded in (fold(facts) if facts else [])} for facts in (before, after)
    )
    for rollup in ROLLUPS:
        _replace(rollup, taken.get(rollup), added.get(rollup), space)
    note_times((fact.hour for fact in (*before, *after)), team_id=team_id, mode=mode, now=now)


def _replace(rollup: type[Counters], taken: Folded | None, added: Folded | None, space: dict[str, int]) -> None:
    parts = [(part, sign) for part, sign in ((taken, -1), (added, 1)) if part]
    keys = sorted({key for part, _sign in parts for key in part.keys})
    row_of = {key: row for row, key in enumerate(keys)}
    stored = fetch_by_keys(rollup, fixed=space, keys=rollup.DIMENSIONS, wanted=keys, columns=SKETCHES)
    counters = np.zeros((len(keys), len(COUNTERS)), dtype=np.int64)
    groups, signs = [row_of[row[:-2]] for row in stored], [1] * len(stored)
    sketches: list[list[bytes]] = [[bytes(row[kind]) for row in stored] for kind in (-2, -1)]
    for part, sign in parts:
        at = [row_of[key] for key in part.keys]
        counters[at] += sign * part.counters
        groups += at
        signs += [sign] * len(at)
        for column, more in zip(sketches, part.sketches, strict=True):
            column += more
    where = np.array(groups, dtype=np.int64), len(keys), np.array(signs, dtype=np.int64)
    merged = [merged_by(column, *where) for column in sketches]
    rows = [
        (*space.values(), *key, *numbers, *of_key)
        for key, numbers, of_key in zip(keys, counters.tolist(), zip(*merged, strict=True), strict=True)
    ]
    add_up(rollup, keys=[*space, *rollup.DIMENSIONS], added=COUNTERS, replaced=SKETCHES, rows=rows)
    if counters[:, 0].min() < 0:
        # The time is the first column of each key.
        time = {f"{rollup.DIMENSIONS[0]}__range": (keys[0][0], keys[-1][0])}
        rollup._default_manager.filter(**space, **time, calls=0).delete()


def _store(folded: Folded, space: dict[str, int]) -> None:
    dimensions = folded.rollup.DIMENSIONS
    stored = {
        row[:-2]: row[-2:]
        for row in fetch_by_keys(
            folded.rollup, fixed=space, keys=dimensions, wanted=folded.keys, columns=SKETCHES
        )
    }
    sketches = [
        _merged([bytes(stored[key][kind]) if key in stored else b"" for key in folded.keys], new)
        for kind, new in enumerate(folded.sketches)
    ]
    rows = [
        (*space.values(), *key, *counters, *of_key)
        for key, counters, of_key in zip(
            folded.keys, folded.counters.tolist(), zip(*sketches, strict=True), strict=True
        )
    ]
    add_up(folded.rollup, keys=[*space, *dimensions], added=COUNTERS, replaced=SKETCHES, rows=rows)


def _merged(before: list[bytes], new: list[bytes]) -> list[bytes]:
    """Merges the stored sketch of each row with the new sketch of the same row."""
    if not any(before):
        return new
    size = len(before)
    groups = np.tile(np.arange(size, dtype=np.int64), 2)
    return merged_by([*before, *new], groups, size)
