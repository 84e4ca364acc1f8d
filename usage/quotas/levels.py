"""Limit, use and reservations of any levels of quota: one statement, therefore one moment.

One moment matters. A settlement of another team of the same owner may commit at any time; if its amount was
read before as used and after as reserved, it would be counted as neither, and too much would be granted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from usage.quotas.models import Level, Period, QuotaUse, Reservation
from usage.quotas.periods import span_at
from usage.rollups.bulk import Statement, run_together

# What the use of a level without a limit is told for.
UNLIMITED_PERIOD = Period.MONTH
# Reservations that lapse in the same slot are one row of `ReservedSum` for each level. The slot that runs
# is read from the reservations themselves, so that each lapses at its own moment.
SLOT = timedelta(seconds=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN, _MEMBER, _TEAM, _OWNER = (level.value for level in Level)


class LevelKey(NamedTuple):
    """One level of quota of one mode, as in `QuotaUse`."""

    team_id: int
    mode: int
    level: int
    subject_id: int


def levels_in_team(member_id: int, token_id: int) -> list[tuple[int, int]]:
    """Level and subject of everything that a call is charged to in its own team; its owner's balance is
    separate.

    `token_id` 0: reported or reserved for a member without a token.
    """
    levels = [(_MEMBER, member_id), (_TEAM, 0)]
    return [*levels, (_TOKEN, token_id)] if token_id else levels


@dataclass(frozen=True)
class LevelState:
    """One level at a moment. Amounts in nano-dollars; `limit_nanos` None is no limit."""

    level: Level
    team_id: int  # at level OWNER the personal space of the owner who pays
    subject_id: int  # the token, the member, or 0
    limit_nanos: int | None
    used_nanos: int
    reserved_nanos: int
    period: Period
    starts_at: datetime | None  # None: all use there ever was counts
    resets_at: datetime | None  # None: never
    zone: ZoneInfo  # of the team at `team_id`, whose days and resets these are

    def key(self, mode: int) -> LevelKey:
        """The key of this level in the records of a mode."""
        return LevelKey(self.team_id, mode, self.level.value, self.subject_id)

    @property
    def available_nanos(self) -> int | None:
        """What can still be reserved, never negative; None is unlimited."""
        if self.limit_nanos is None:
            return None
        return max(0, self.limit_nanos - self.used_nanos - self.reserved_nanos)

    @property
    def used_share(self) -> float | None:
        """The used part of the limit, 0 to 1 and above; a limit of 0 counts as used up. None without a limit."""
        if self.limit_nanos is None:
            return None
        return self.used_nanos / self.limit_nanos if self.limit_nanos else 1.0

    def covers(self, nanos: int) -> bool:
        """Whether `nanos` can be reserved on top of the used and reserved amounts."""
        return self.available_nanos is None or nanos <= self.available_nanos

    def with_reserved(self, nanos: int) -> "LevelState":
        """The same level after `nanos` more are reserved."""
        return replace(self, reserved_nanos=self.reserved_nanos + nanos)


def slot_of(at: datetime) -> int:
    """The number of the time slot of `at`."""
    return (at - _EPOCH) // SLOT


def states_of(
    keys: Iterable[LevelKey], zones: dict[int, ZoneInfo], now: datetime
) -> dict[LevelKey, LevelState]:
    """The state of each level: one query for all. `zones` are those of the keys' teams."""
    asked = list(dict.fromkeys(keys))
    if not asked:
        return {}
    (rows,) = run_together([levels_statement(asked, zones, now)])
    return dict(zip(asked, read_levels(asked, rows, zones, now), strict=True))


def levels_statement(asked: Sequence[LevelKey], zones: dict[int, ZoneInfo], now: datetime) -> Statement:
    """The statement whose rows `read_levels` reads. `asked` must be distinct."""
    days = {team_id: _first_days(zone, now) for team_id, zone in zones.items()}
    source, parameters = _rows([(n, *key, *days[key.team_id]) for n, key in enumerate(asked)])
    slot = slot_of(now)
    parameters += [_as_day(date.min), adapted_time(now), adapted_time(_EPOCH + (slot + 1) * SLOT), slot]
    return _STATEMENT.replace("{asked}", source), parameters


def _rows(rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """`asked` as SQL rows with parameters: arrays on PostgreSQL, so that the number of parameters is constant."""
    if connection.vendor == "postgresql":
        return _ARRAYS, [list(column) for column in zip(*rows, strict=True)]
    places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
    return f"VALUES {places}", [value for row in rows for value in row]


_TYPES = ("int", "bigint", "int", "int", "bigint", "date", "date", "date")
_ARRAYS = f"SELECT * FROM UNNEST({', '.join(f'%s::{one}[]' for one in _TYPES)})"  # noqa: S608  # our own types


def read_levels(
    asked: Sequence[LevelKey], rows: Iterable[Sequence[Any]], zones: dict[int, ZoneInfo], now: datetime
) -> list[LevelState]:
    """The state of each level, in the order of `asked`."""
    found = {row[0]: row[1:] for row in rows}
    return [_state(key, found[number], zones, now) for number, key in enumerate(asked)]


_STATEMENT = f"""
WITH
  asked (n, team_id, mode, level, subject_id, today, monday, first) AS ({{asked}}),
  limited AS (
    SELECT
      asked.*,
      quota.limit_nanos,
      quota.period,
      CASE quota.period WHEN 'none' THEN %s WHEN 'day' THEN today WHEN 'week' THEN monday ELSE first END AS since
    FROM asked
    LEFT JOIN usage_quota AS quota ON quota.id = CASE level
      WHEN {_TOKEN} THEN (SELECT id FROM usage_quota WHERE token_id = subject_id)
      WHEN {_MEMBER} THEN (
        SELECT usage_quota.id FROM usage_quota
        JOIN teams_membership ON teams_membership.id = usage_quota.membership_id
        WHERE teams_membership.team_id = asked.team_id AND user_id = subject_id)
      ELSE (
        SELECT id FROM usage_quota
        WHERE team_id = asked.team_id AND membership_id IS NULL AND token_id IS NULL)
      END
  ),
  lapsing AS (
    SELECT
      mode,
      level,
      CASE level WHEN {_OWNER} THEN payer_id ELSE team_id END AS team_id,
      CASE level WHEN {_TOKEN} THEN token_id WHEN {_MEMBER} THEN member_id ELSE 0 END AS subject_id,
      SUM(amount_nanos) AS nanos
    FROM usage_reservation
    CROSS JOIN (SELECT {_TOKEN} AS level UNION ALL SELECT {_MEMBER}
                UNION ALL SELECT {_TEAM} UNION ALL SELECT {_OWNER}) AS levels
    WHERE ended_at IS NULL AND expires_at > %s AND expires_at < %s
    GROUP BY 1, 2, 3, 4
  )
SELECT
  n,
  limit_nanos,
  period,
  (SELECT COALESCE(SUM(used_nanos), 0) FROM usage_quotause AS used
   WHERE used.team_id = limited.team_id AND used.mode = limited.mode AND used.level = limited.level
     AND used.subject_id = limited.subject_id AND day BETWEEN since AND today),
  (SELECT COALESCE(SUM(reserved_nanos), 0) FROM usage_reservedsum AS kept
   WHERE kept.team_id = limited.team_id AND kept.mode = limited.mode AND kept.level = limited.level
     AND kept.subject_id = limited.subject_id AND slot > %s) + COALESCE(lapsing.nanos, 0)
FROM limited
LEFT JOIN lapsing ON lapsing.team_id = limited.team_id AND lapsing.mode = limited.mode
  AND lapsing.level = limited.level AND lapsing.subject_id = limited.subject_id
"""  # noqa: S608  # it holds our own numbers only; values are parameters


def _state(key: LevelKey, row: Sequence[Any], zones: dict[int, ZoneInfo], now: datetime) -> LevelState:
    limit, period, used, reserved = row
    kind = UNLIMITED_PERIOD if period is None else Period(period)
    span = span_at(kind, now, zones[key.team_id])
    return LevelState(
        level=Level(key.level),
        team_id=key.team_id,
        subject_id=key.subject_id,
        limit_nanos=limit,
        used_nanos=int(used),
        reserved_nanos=int(reserved),
        period=kind,
        starts_at=span.starts_at,
        resets_at=span.resets_at,
        zone=span.zone,
    )


def _first_days(zone: ZoneInfo, now: datetime) -> list[Any]:
    """The first day of the current day, week and month of a zone; today is the last day of each so far."""
    spans = [span_at(period, now, zone) for period in (Period.DAY, Period.WEEK, Period.MONTH)]
    return [_as_day(span.first) for span in spans]


def _as_day(day: date | None) -> Any:
    return QuotaUse._meta.get_field("day").get_db_prep_value(day, connection, prepared=False)


def adapted_time(at: datetime) -> Any:
    """A time as an SQL parameter; SQLite compares times as text."""
    return Reservation._meta.get_field("expires_at").get_db_prep_value(at, connection, prepared=False)
