"""Spans of the last minutes that arrived before any call of their trace, as this process remembers them.

A span between two layers of a call is stored once its trace is known to contain a call. Two programs send their
spans in any order, so it may arrive earlier; most spans belong to traces without any call and are not worth a
row. What another process received is not known here: the two layers then count as one only if their response
ids match.
"""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Final

from logs.recording.layers import Link

_MOST_SPANS: Final = 20_000
_MOST_OF_TRACE: Final = 500
Key = tuple[int, str]  # team (0: of a key of the whole site), trace


class LooseLinks:
    """Links by trace, as many as fit; the most recent traces stay."""

    def __init__(self) -> None:
        self._links: OrderedDict[Key, dict[str, Link]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def remember(self, team_id: int, links: Iterable[Link]) -> None:
        with self._lock:
            for link in links:
                key = (team_id, link.trace_id)
                of_trace = self._links.setdefault(key, {})
                self._links.move_to_end(key)
                if link.span_id not in of_trace and len(of_trace) < _MOST_OF_TRACE:
                    of_trace[link.span_id] = link
                    self._size += 1
            while self._size > _MOST_SPANS:
                _key, oldest = self._links.popitem(last=False)
                self._size -= len(oldest)

    def recall(self, team_ids: Iterable[int], trace_id: str) -> list[Link]:
        """What is remembered of a trace. It is not removed: the transaction that stores it may fail."""
        with self._lock:
            return [link for team_id in team_ids for link in self._links.get((team_id, trace_id), {}).values()]

    def clear(self) -> None:
        with self._lock:
            self._links.clear()
            self._size = 0


loose_links = LooseLinks()
