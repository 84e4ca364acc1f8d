"""Keeps spans in this process's memory that arrived before any call of their trace.

A span that is not a call is stored only if its trace contains a call, because most traces contain none. Two
programs may send the spans of one trace in any order, so such a span can arrive before the call. Spans that
another process received are not available here: two layers joined by such a span count as one call only if
their response ids match.
"""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Final

from logs.recording.layers import Link

_MOST_SPANS: Final = 20_000
_MOST_OF_TRACE: Final = 500
Key = tuple[int, str]  # (team id, trace id); team id 0: reported with a key of the whole site


class LooseLinks:
    """Links by team and trace, limited in number.

    When it is full, the traces that received no new span for the longest time are dropped.
    """

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
        """Returns the remembered links of a trace.

        They are not removed, because the transaction that stores them may fail.
        """
        with self._lock:
            return [link for team_id in team_ids for link in self._links.get((team_id, trace_id), {}).values()]

    def clear(self) -> None:
        with self._lock:
            self._links.clear()
            self._size = 0


loose_links = LooseLinks()
