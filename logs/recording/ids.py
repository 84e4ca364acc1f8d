"""Creates ids of calls: UUIDv7 that sort like `started_at`, with microsecond precision."""

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
    """Returns the time part of a UUIDv7: milliseconds in 48 bits, and their fraction in 12 bits.

    The format is method 3 of RFC 9562. The bits are already shifted to their place in the UUID. The 1,000
    microseconds of a millisecond are spread over 4,096 values, so two different microseconds never get the same
    value.
    """
    milliseconds, microseconds = divmod((at - _EPOCH) // _MICROSECOND, 1000)
    return milliseconds << 80 | (microseconds * 4096 + 999) // 1000 << 64


def call_id(started_at: datetime) -> uuid.UUID:
    """Returns a new unique id for a call that started at `started_at` (an aware time, 1970 or later)."""
    return uuid.UUID(int=_time_bits(started_at) | _VERSION | _VARIANT | secrets.randbits(62))


def first_id(at: datetime) -> uuid.UUID:
    """Returns the smallest possible id of a call that starts at `at`.

    The calls that start in `[start, end)` are those with `first_id(start) <= id < first_id(end)`.
    """
    return uuid.UUID(int=_time_bits(at) | _VERSION | _VARIANT)


def id_parameters(within: Range) -> list[Any]:
    """Returns SQL parameters for the ids of a time range: the first id, and the first id after the range.

    They are converted for the database: SQLite stores ids as text.
    """
    field: Any = UUIDField()
    edges = (first_id(within.start), first_id(within.end))
    return [field.get_db_prep_value(edge, connection, prepared=False) for edge in edges]
