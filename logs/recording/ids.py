"""Ids of calls: UUIDv7 whose order is the order of `started_at`, to the microsecond."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import UUIDField

from usage.rollups.query import Range

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def _time_bits(at: datetime) -> int:
    """The 48 bits of milliseconds and 12 bits of their fraction, in place (RFC 9562, method 3).

    1,000 microseconds go into 4,096 steps, so two different microseconds never share one.
    """
    milliseconds, microseconds = divmod((at - _EPOCH) // _MICROSECOND, 1000)
    return milliseconds << 80 | (microseconds * 4096 + 999) // 1000 << 64


def call_id(started_at: datetime) -> uuid.UUID:
    """A new id for a call that started then (aware; 1970 or later)."""
    return uuid.UUID(int=_time_bits(started_at) | _VERSION | _VARIANT | secrets.randbits(62))


def first_id(at: datetime) -> uuid.UUID:
    """The least id of a call that starts at `at`: `[start, end)` is `first_id(start) <= id < first_id(end)`."""
    return uuid.UUID(int=_time_bits(at) | _VERSION | _VARIANT)


def id_parameters(within: Range) -> list[Any]:
    """First and after-last id of the calls of a range, as parameters of SQL: SQLite has ids as text."""
    field: Any = UUIDField()
    edges = (first_id(within.start), first_id(within.end))
    return [field.get_db_prep_value(edge, connection, prepared=False) for edge in edges]
