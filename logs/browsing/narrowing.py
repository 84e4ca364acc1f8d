"""Addresses of the list of calls, narrowed to a part of a chart."""

from datetime import datetime

from django.http import QueryDict

from logs.browsing.latency_panel import Bar
from logs.search.query import CallQuery
from usage.rollups.figures import Figures
from usage.rollups.query import next_bucket, on_the_clock

# The conditions of the filter by latency.
_AT_LEAST, _AT_MOST = "latency_key__gte", "latency_key__lte"


class Narrowing:
    """The addresses of a list with its filters, narrowed to a range of latency or to a bucket of time."""

    def __init__(self, path: str, asked: QueryDict, query: CallQuery) -> None:
        self._path, self._asked, self._query = path, asked.copy(), query
        self._asked.pop("cursor", None)

    def to_bucket(self, start: datetime) -> str:
        """The list of the calls in the bucket that starts there, within the period."""
        asked, usage = self._asked.copy(), self._query.usage
        end = next_bucket(start, usage.granularity, usage.zone)
        asked.pop("period", None)
        asked["from"] = on_the_clock(max(start, usage.range.start), usage.zone)
        asked["to"] = on_the_clock(min(end, usage.range.end), usage.zone)
        return f"{self._path}?{asked.urlencode()}"

    def to_model(self, model: str, figures: Figures) -> str:
        """The list of the calls of a model whose latency is known."""
        asked = self._asked.copy()
        asked["model"] = model
        # Only where it leaves something out, for with it rollups know no total.
        if figures.latency_count < figures.calls:
            asked["latency_from"] = str(self._query.value(_AT_LEAST, 0))
        return f"{self._path}?{asked.urlencode()}"

    def to(self, bar: Bar) -> str:
        """The list of exactly the calls of a bar, which may reach beyond the range of latency that is asked for."""
        asked, query = self._asked.copy(), self._query
        asked["latency_from"] = str(max(bar.start, query.value(_AT_LEAST, 0)))
        asked["latency_to"] = str(min(bar.end, query.value(_AT_MOST, bar.end)))
        return f"{self._path}?{asked.urlencode()}"
