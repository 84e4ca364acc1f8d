"""From a number to the calls behind it: addresses of the logs with exactly the filters that make the number."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.urls import reverse

from teams.models import Team
from usage.models import Outcome
from usage.query import Range

# What usage pages and logs are both filtered by. All else in the address of a usage page says how figures
# are shown, not which calls they are of.
_TIME = ("period", "from", "to")
SHARED = (*_TIME, "mode", "member", "model", "token")
FAILED = tuple(outcome.word for outcome in Outcome if outcome is not Outcome.SUCCEEDED)


def on_the_clock(at: datetime, zone: ZoneInfo) -> str:
    """A time as filters read it, on the team's clock; with its offset where the clock shows that time twice."""
    there = at.astimezone(zone)
    is_shown_twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    is_whole = not (there.second or there.microsecond)
    return (there if is_shown_twice else there.replace(tzinfo=None)).isoformat(
        timespec="minutes" if is_whole else "auto"
    )


@dataclass(frozen=True)
class CallsBehind:
    """The addresses of the calls behind the figures of one page, whose filters are `asked`."""

    team: Team
    asked: QueryDict

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """The calls of the page, perhaps only those within a range, and of them those that meet more filters.

        A filter takes the place of the page's own of that name; `outcome="failed"` stands for all but
        succeeded. `sort` is the order of the list.
        """
        if within is not None:
            return self.by_range(**narrower)(within)
        own = {name: values for name, values in self._asked.items() if name not in narrower}
        return f"{self._path}?{urlencode(own | _values(narrower), doseq=True)}"

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        """The same for each point of a chart: all but the range is written once."""
        own = {name: values for name, values in self._asked.items() if name not in {*_TIME, *narrower}}
        query, zone = urlencode(own | _values(narrower), doseq=True), self.team.zone
        rest = f"&{query}" if query else ""

        def of(within: Range) -> str:
            # Of a time only the sign of its offset means something else in an address.
            start, end = (on_the_clock(at, zone).replace("+", "%2B") for at in (within.start, within.end))
            return f"{self._path}?from={start}&to={end}{rest}"

        return of

    @cached_property
    def _path(self) -> str:
        return reverse("logs:list", args=[self.team.slug])

    @cached_property
    def _asked(self) -> dict[str, list[str]]:
        """The page's own filters, which hundreds of its numbers share."""
        asked = {name: [value for value in self.asked.getlist(name) if value] for name in SHARED}
        return {name: values for name, values in asked.items() if values}


def _values(narrower: dict[str, Any]) -> dict[str, list[str]]:
    return {
        name: list(FAILED) if (name, value) == ("outcome", "failed") else [str(value)]
        for name, value in narrower.items()
    }
