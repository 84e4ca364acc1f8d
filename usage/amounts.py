"""What is used and reserved of any levels of quota: one statement, therefore one moment.

One moment matters. A settlement of another team of the same owner may commit at any time; read before it as
used and after it as reserved, its amount would be counted as neither, and too much would be granted.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from usage.models import Level, QuotaUse, Reservation

# Reservations that lapse in the same slot are one row of `ReservedSum` for each level. The slot that runs
# is read from the reservations themselves, so that each lapses at its own moment.
SLOT = timedelta(seconds=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN, _MEMBER, _TEAM, _OWNER = (level.value for level in Level)


class LevelKey(NamedTuple):
    """One level of quota of one mode, as `QuotaUse` names it."""

    team_id: int
    mode: int
    level: int
    subject_id: int


class Days(NamedTuple):
    """The days `[first, end)` whose use counts; None: without bound."""

    first: date | None
    end: date | None


class Amounts(NamedTuple):
    """Nano-dollars used in the days that were asked for, and reserved at the moment."""

    used: int
    reserved: int


def slot_of(at: datetime) -> int:
    """The number of the slot that `at` is in."""
    return (at - _EPOCH) // SLOT


def amounts_of(wanted: dict[LevelKey, Days], now: datetime) -> dict[LevelKey, Amounts]:
    """Used and reserved of each level; whoever grants by them holds the locks of `lock_payer`."""
    if not wanted:
        return {}
    keys = list(wanted)
    parameters: list[Any] = []
    for number, key in enumerate(keys):
        parameters += [number, *key, *_prepared_days(wanted[key])]
    slot = slot_of(now)
    bounds = [_prepared_time(now), _prepared_time(_EPOCH + (slot + 1) * SLOT)]
    places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT.replace("{places}", places), [*parameters, *bounds, slot])
        return {keys[n]: Amounts(int(used), int(reserved)) for n, used, reserved in cursor.fetchall()}


_STATEMENT = f"""
WITH
  asked (n, team_id, mode, level, subject_id, first_day, end_day) AS (VALUES {{places}}),
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
  asked.n,
  (SELECT COALESCE(SUM(used_nanos), 0) FROM usage_quotause AS used
   WHERE used.team_id = asked.team_id AND used.mode = asked.mode AND used.level = asked.level
     AND used.subject_id = asked.subject_id AND used.day >= asked.first_day AND used.day < asked.end_day),
  (SELECT COALESCE(SUM(reserved_nanos), 0) FROM usage_reservedsum AS kept
   WHERE kept.team_id = asked.team_id AND kept.mode = asked.mode AND kept.level = asked.level
     AND kept.subject_id = asked.subject_id AND kept.slot > %s) + COALESCE(lapsing.nanos, 0)
FROM asked
LEFT JOIN lapsing ON lapsing.team_id = asked.team_id AND lapsing.mode = asked.mode
  AND lapsing.level = asked.level AND lapsing.subject_id = asked.subject_id
"""  # noqa: S608  # it holds our own numbers only; values are parameters


def _prepared_days(days: Days) -> list[Any]:
    """Both bounds as the database compares dates."""
    field = QuotaUse._meta.get_field("day")
    bounds = (days.first or date.min, days.end or date.max)
    return [field.get_db_prep_value(day, connection, prepared=False) for day in bounds]


def _prepared_time(at: datetime) -> Any:
    return Reservation._meta.get_field("expires_at").get_db_prep_value(at, connection, prepared=False)
