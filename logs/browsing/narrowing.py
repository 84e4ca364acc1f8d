"""Builds links from a chart to the list of calls, narrowed to one part of the chart."""

from datetime import datetime

from django.http import QueryDict

from logs.browsing.latency_panel import Bar
from logs.search.query import CallQuery
from usage.rollups.figures import Figures
from usage.rollups.query import next_bucket, on_the_clock

# The lookups of the filter by latency.
_AT_LEAST, _AT_MOST = "latency_key__gte", "latency_key__lte"


class Narrowing:
    """Builds drill-down links: URLs of the list with the filters of this page, narrowed to a part of a chart."""

    def __init__(self, path: str, asked: QueryDict, query: CallQuery) -> None:
        self._path, self._asked, self._query = path, asked.copy(), query
        self._asked.pop("cursor", None)

    def to_bucket(self, start: datetime) -> str:
        """Returns the URL of the list of calls in the time bucket that begins at `start`, within the period."""
        asked, usage = self._asked.copy(), self._query.usage
        end = next_bucket(start, usage.granularity, usage.zone)
        asked.pop("period", None)
        asked["from"] = on_the_clock(max(start, usage.range.start), usage.zone)
        asked["to"] = on_the_clock(min(end, usage.range.end), usage.zone)
        return f"{self._path}?{asked.urlencode()}"

    def to_model(self, model: str, figures: Figures) -> str:
        """Returns the URL of the list of a model's calls whose latency is known."""
        asked = self._asked.copy()
        asked["model"] = model
        # The filter is only added if it leaves calls out, because rollups cannot count calls by latency.
        if figures.latency_count < figures.calls:
            asked["latency_from"] = str(self._query.value(_AT_LEAST, 0))
        return f"{self._path}?{asked.urlencode()}"

    def to(self, bar: Bar) -> str:
        """Returns the URL of the list of exactly the calls of a bar. A bar may be wider than the filter by
        latency, which still applies.
        """
        asked, query = self._asked.copy(), self._query
        asked["latency_from"] = str(max(bar.start, query.value(_AT_LEAST, 0)))
        asked["latency_to"] = str(min(bar.end, query.value(_AT_MOST, bar.end)))
        return f"{self._path}?{asked.urlencode()}"
