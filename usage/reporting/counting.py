"""Counts what a key reported, after the request was answered and outside the transaction that stores the calls.

This way rejected requests are counted too, and the row of a busy key is not locked while calls are stored.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import DatabaseError, connection, transaction

from teams.models import GatewayKey, Token
from usage.reporting.models import KeyHour, KeyKind, KeyRejection
from usage.rollups.bulk import Statement, insertion, run_together

logger = logging.getLogger(__name__)
Key = Token | GatewayKey

# The most reasons that are stored for each key, and that are taken from one request.
MOST_REASONS: Final = 20


@dataclass(frozen=True)
class Reason:
    """A reason why `records` records of a request were rejected or, if that is 0, the whole request.

    `message` is the text of the response. It must not quote what the request contained.
    """

    code: str
    message: str
    param: str = ""
    request_id: str = ""  # the id of the first rejected record
    records: int = 0


@dataclass(frozen=True)
class Report:
    """The result of one request: how many records were accepted, duplicate and rejected, and the reasons."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    is_refused: bool = False  # whether the whole request was refused
    reasons: Sequence[Reason] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.accepted or self.duplicates or self.rejected or self.is_refused)

    @property
    def has_worked(self) -> bool:
        return bool(self.accepted or self.duplicates)


def kind_of(key: Key) -> KeyKind:
    return KeyKind.TOKEN if isinstance(key, Token) else KeyKind.GATEWAY_KEY


def hour_of(at: datetime) -> datetime:
    """Returns the start of the UTC hour that contains `at`.

    UTC is enough here, because these figures cover the last 24 hours, not days of a team's calendar.
    """
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def count_report(key: Key, report: Report, now: datetime) -> None:
    """Adds the result of a request to the figures of its key.

    A DatabaseError is only logged: the calls are already stored, and the sender must not get an error.
    """
    if report.is_empty:
        return
    who = (kind_of(key).value, key.pk)
    statements = [*_counted(who, key.team_id or 0, report, now)]
    if report.reasons:
        statements += _reasons(who, key.team_id or 0, report.reasons[:MOST_REASONS], now)
    try:
        _write(statements)
    except DatabaseError:
        logger.exception("The report of the key %s was not counted", key.public_id)


_COLUMNS: Final = (
    *("key_kind", "key_id", "hour", "team_id", "accepted", "duplicates", "rejected", "refused_requests"),
    *("worked_at", "failing_since", "failed_at"),
)
_ADDED: Final = ("accepted", "duplicates", "rejected", "refused_requests")
_ADD_UP: Final = (
    "ON CONFLICT (key_kind, key_id, hour) DO UPDATE SET "
    + ", ".join(f"{name} = usage_keyhour.{name} + excluded.{name}" for name in _ADDED)
    + """,
  worked_at = COALESCE(excluded.worked_at, usage_keyhour.worked_at),
  failing_since = CASE WHEN excluded.worked_at IS NULL
    THEN COALESCE(usage_keyhour.failing_since, excluded.failing_since) END,
  failed_at = COALESCE(excluded.failed_at, usage_keyhour.failed_at)"""
)


def _counted(who: tuple[int, int], team_id: int, report: Report, now: datetime) -> Iterator[Statement]:
    worked, failed = (now, None) if report.has_worked else (None, now)
    counts = (report.accepted, report.duplicates, report.rejected, int(report.is_refused))
    row = (*who, hour_of(now), team_id, *counts, worked, failed, failed)
    for text, parameters in insertion(KeyHour, _COLUMNS, [row]):
        yield f"{text} {_ADD_UP}", parameters


_REASON_COLUMNS: Final = (
    *("key_kind", "key_id", "team_id", "at"),
    *("code", "param", "message", "request_id", "records"),
)
_FORGET: Final = f"""DELETE FROM usage_keyrejection WHERE key_kind = %s AND key_id = %s AND id <= (
  SELECT id FROM usage_keyrejection WHERE key_kind = %s AND key_id = %s
  ORDER BY id DESC LIMIT 1 OFFSET {MOST_REASONS})"""  # noqa: S608  # a number of our own


def _reasons(
    who: tuple[int, int], team_id: int, reasons: Sequence[Reason], now: datetime
) -> Iterator[Statement]:
    """Yields the SQL that inserts the reasons of a request and deletes all but the key's latest.

    The row of the key's hour is locked before, so two requests of the same key cannot delete at the same time.
    """
    rows = [
        (
            *who,
            team_id,
            now,
            one.code[:64],
            one.param[:128],
            one.message[:300],
            one.request_id[:128],
            one.records,
        )
        for one in reversed(reasons)  # the first reason gets the highest id, so lists show it on top
    ]
    yield from insertion(KeyRejection, _REASON_COLUMNS, rows)
    yield _FORGET, [*who, *who]


def _write(statements: Sequence[Statement]) -> None:
    """Runs the statements in one transaction that commits without waiting for the disk.

    After a power failure the latest counts may be missing, but no calls. In return the row of a busy key is
    locked for a much shorter time.
    """
    if connection.vendor == "postgresql":
        no_wait: tuple[str, list[Any]] = ("SET LOCAL synchronous_commit TO off", [])
        run_together([no_wait, *statements])  # one round trip, which PostgreSQL runs as one transaction
        return
    with _unsynchronized(), transaction.atomic():
        run_together(statements)


@contextmanager
def _unsynchronized() -> Iterator[None]:
    """Lets SQLite commit without waiting for the disk.

    Does nothing inside a transaction, where SQLite does not allow changing that setting.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        before = cursor.fetchone()[0]
        cursor.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA synchronous = {int(before)}")
