"""Counts what a key reported, after its request was answered and outside the transaction that stores calls.

So rejected batches are counted too, and nobody waits for the row of a key while calls are stored.
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

# How many reasons are kept of each key, and taken from one request.
MOST_REASONS: Final = 20


@dataclass(frozen=True)
class Reason:
    """Why `records` records of a request were rejected or, with 0 records, the whole request.

    The message is the one in the answer; it must not quote what was sent.
    """

    code: str
    message: str
    param: str = ""
    request_id: str = ""  # of the first of the records
    records: int = 0


@dataclass(frozen=True)
class Report:
    """The result of one request of a key."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    is_refused: bool = False  # as a whole
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
    """The hour in UTC that contains an instant: the figures cover the last 24 hours, not a team's days."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def count_report(key: Key, report: Report, now: datetime) -> None:
    """Adds a request to the figures of its key.

    If the database fails here, that is only logged: the calls are stored, and the sender must not be told
    otherwise.
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
    """Inserts the reasons and deletes all but the latest. The key's hour is locked by now, so two requests of a
    key do not delete at once.
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
        for one in reversed(reasons)  # so that the first is the newest, as the list has it on top
    ]
    yield from insertion(KeyRejection, _REASON_COLUMNS, rows)
    yield _FORGET, [*who, *who]


def _write(statements: Sequence[Statement]) -> None:
    """One transaction that does not wait for the disk: after a power failure the latest counts may be lost, but
    no calls. So the row of a busy key is locked much more briefly.
    """
    if connection.vendor == "postgresql":
        no_wait: tuple[str, list[Any]] = ("SET LOCAL synchronous_commit TO off", [])
        run_together([no_wait, *statements])  # one trip, which is a transaction of its own
        return
    with _unsynchronized(), transaction.atomic():
        run_together(statements)


@contextmanager
def _unsynchronized() -> Iterator[None]:
    """Lets SQLite commit without waiting for the disk; not within a transaction, where that cannot be changed."""
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
