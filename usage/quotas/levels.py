"""Reads limit, use and reservations of any quota levels (token, member, team or owner) with one SQL statement.

One statement sees one state of the database. With two, a reservation could be settled in between: its amount
would be neither in the use that was read before nor in the reservations that were read after, so too much quota
would be granted.
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

# The period for which the use of a level without a limit is shown.
UNLIMITED_PERIOD = Period.MONTH
# Reservations that expire in the same slot are summed in one row of `ReservedSum` for each level. Those of the
# current slot are read from the reservations themselves, so that each expires at its exact time.
SLOT = timedelta(seconds=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN, _MEMBER, _TEAM, _OWNER = (level.value for level in Level)


class LevelKey(NamedTuple):
    """Identifies a quota level in one mode. The fields are those of `QuotaUse`."""

    team_id: int
    mode: int
    level: int
    subject_id: int


def levels_in_team(member_id: int, token_id: int) -> list[tuple[int, int]]:
    """Returns pairs (level, subject id) of the quota levels in its own team that a call is charged to.

    The owner's balance is not among them. `token_id` 0 stands for a call that was reported or reserved for a
    member without a token.
    """
    levels = [(_MEMBER, member_id), (_TEAM, 0)]
    return [*levels, (_TOKEN, token_id)] if token_id else levels


@dataclass(frozen=True)
class LevelState:
    """Limit, use and reservations of a quota level at one moment. Amounts in nano-dollars.

    `limit_nanos` is None if there is no limit.
    """

    level: Level
    team_id: int  # at level OWNER the personal space of the owner who pays
    subject_id: int  # the token, the member, or 0
    limit_nanos: int | None
    used_nanos: int
    reserved_nanos: int
    period: Period
    starts_at: datetime | None  # None: the period never began, so all use counts
    resets_at: datetime | None  # None: never
    zone: ZoneInfo  # the time zone of the team `team_id`, in which the quota resets

    def key(self, mode: int) -> LevelKey:
        """Returns the key of this level in a mode."""
        return LevelKey(self.team_id, mode, self.level.value, self.subject_id)

    @property
    def available_nanos(self) -> int | None:
        """Returns the nano-dollars that can still be reserved, never negative; None without a limit."""
        if self.limit_nanos is None:
            return None
        return max(0, self.limit_nanos - self.used_nanos - self.reserved_nanos)

    @property
    def used_share(self) -> float | None:
        """Returns the use divided by the limit: 1.0 is used up, and it can be more. None without a limit.

        A limit of 0 counts as used up.
        """
        if self.limit_nanos is None:
            return None
        return self.used_nanos / self.limit_nanos if self.limit_nanos else 1.0

    def covers(self, nanos: int) -> bool:
        """Returns whether `nanos` nano-dollars can be reserved in addition to the used and reserved amounts."""
        return self.available_nanos is None or nanos <= self.available_nanos

    def with_reserved(self, nanos: int) -> "LevelState":
        """Returns a copy of this state in which `nanos` more nano-dollars are reserved."""
        return replace(self, reserved_nanos=self.reserved_nanos + nanos)


def slot_of(at: datetime) -> int:
    """Returns the number of the time slot (of 5 seconds) that contains `at`."""
    return (at - _EPOCH) // SLOT


def states_of(
    keys: Iterable[LevelKey], zones: dict[int, ZoneInfo], now: datetime
) -> dict[LevelKey, LevelState]:
    """Returns the state of each quota level, by its key. Runs one SQL statement.

    `zones` are the time zones of the teams in the keys, by team id.
    """
    asked = list(dict.fromkeys(keys))
    if not asked:
        return {}
    (rows,) = run_together([levels_statement(asked, zones, now)])
    return dict(zip(asked, read_levels(asked, rows, zones, now), strict=True))


def levels_statement(asked: Sequence[LevelKey], zones: dict[int, ZoneInfo], now: datetime) -> Statement:
    """Returns the SQL statement whose rows `read_levels` converts. The keys in `asked` must be distinct."""
    days = {team_id: _first_days(zone, now) for team_id, zone in zones.items()}
    source, parameters = _rows([(n, *key, *days[key.team_id]) for n, key in enumerate(asked)])
    slot = slot_of(now)
    parameters += [_as_day(date.min), adapted_time(now), adapted_time(_EPOCH + (slot + 1) * SLOT), slot]
    return _STATEMENT.replace("{asked}", source), parameters


def _rows(rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Returns `rows` as an SQL table expression, and its parameters.

    PostgreSQL gets arrays, so that the number of parameters is the same for any number of rows.
    """
    if connection.vendor == "postgresql":
        return _ARRAYS, [list(column) for column in zip(*rows, strict=True)]
    places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
    return f"VALUES {places}", [value for row in rows for value in row]


_TYPES = ("int", "bigint", "int", "int", "bigint", "date", "date", "date")
_ARRAYS = f"SELECT * FROM UNNEST({', '.join(f'%s::{one}[]' for one in _TYPES)})"  # noqa: S608  # our own types


def read_levels(
    asked: Sequence[LevelKey], rows: Iterable[Sequence[Any]], zones: dict[int, ZoneInfo], now: datetime
) -> list[LevelState]:
    """Converts rows of `levels_statement` to the states of the levels, in the order of `asked`."""
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
    """Returns the first day of the current day, week and month in a zone, as SQL parameters."""
    spans = [span_at(period, now, zone) for period in (Period.DAY, Period.WEEK, Period.MONTH)]
    return [_as_day(span.first) for span in spans]


def _as_day(day: date | None) -> Any:
    return QuotaUse._meta.get_field("day").get_db_prep_value(day, connection, prepared=False)


def adapted_time(at: datetime) -> Any:
    """Converts a time to an SQL parameter, because SQLite stores and compares times as text."""
    return Reservation._meta.get_field("expires_at").get_db_prep_value(at, connection, prepared=False)
