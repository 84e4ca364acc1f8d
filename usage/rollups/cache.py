"""Sums of times past, kept in the process: of the thirty days of a page one or two still change.

Whatever writes into times past, such as a late report, an import, or statistics that are cut again, gives the team
a new stamp in the same transaction, and what was kept under an older one is never found again. A reader looks at
the stamp first and then at the sums, so these are at least as new as their stamp. Only pages keep and find sums,
by `UsageQuery.past`; a query without it is answered by the database alone. What was found unusual is remembered
here, too, for some minutes, as the cache that all processes share has it for hours.
"""

import secrets
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from usage.rollups.bulk import add_up
from usage.rollups.models import PastStamp

# Younger calls are counted without a new stamp; what is kept is older by more than any transaction lasts.
FRESH = timedelta(hours=24)
SETTLED = timedelta(hours=30)
_MOST_BYTES = 16_000_000
_ROW_BYTES = 300  # beside what its bytes take

Rows = Sequence[tuple[Any, ...]]


def note_times(times: Iterable[datetime], *, team_id: int, mode: int, now: datetime) -> None:
    """Gives the team a new stamp if calls of these times (hours) may belong to sums that are kept."""
    if min(times) < now - FRESH:
        stamp_past(team_id=team_id, mode=mode)


def stamp_past(*, team_id: int, mode: int) -> None:
    """Gives the team a new stamp. Needs the transaction that changes its rollups."""
    row = (team_id, mode, secrets.randbits(62))
    add_up(PastStamp, keys=["team_id", "mode"], added=[], replaced=["stamp"], rows=[row])


def past_stamps(team_ids: Iterable[int], mode: int) -> dict[int, int]:
    """The stamps of teams as they are now, by team; 0 of one whose times past never changed."""
    asked = [*team_ids]
    found = (
        PastStamp.objects.filter(team_id__in=asked, mode=mode).values_list("team_id", "stamp") if asked else ()
    )
    return dict.fromkeys(asked, 0) | dict(found)


class ProcessCache:
    """Rows by what was asked, as many as fit, the ones used last."""

    def __init__(self) -> None:
        self._rows: OrderedDict[Hashable, tuple[Rows, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Rows | None:
        with self._lock:
            if key not in self._rows:
                return None
            self._rows.move_to_end(key)
            return self._rows[key][0]

    def set(self, key: Hashable, rows: Rows, more: int = 0) -> None:
        """`more`: bytes that the rows take beside those that are seen."""
        size = more + sum(
            _ROW_BYTES + sum(len(value) for value in row if isinstance(value, bytes)) for row in rows
        )
        with self._lock:
            self._bytes += size - self._rows.pop(key, ((), 0))[1]
            self._rows[key] = rows, size
            while self._bytes > _MOST_BYTES:
                _key, (_rows, freed) = self._rows.popitem(last=False)
                self._bytes -= freed

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()
            self._bytes = 0


process_cache = ProcessCache()
