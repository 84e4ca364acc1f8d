"""Drill-down links: from a number on a page to the list of exactly those calls that it counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self
from urllib.parse import quote_plus, urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from config.markup import markup
from teams.models import Mode, Team
from usage.rollups.models import Outcome
from usage.rollups.query import Range, Span, UsageQuery, on_the_clock

# Query parameters that usage pages and lists of calls share as filters. All other parameters of a usage page
# change how figures are shown, not which calls are counted.
_TIME = ("period", "from", "to")
SHARED = (*_TIME, "mode", "member", "model", "token")
# The same for the personal page. The granularity is included, because a link names a bucket by its start only.
OWN = (*_TIME, "granularity", "mode", "team", "model", "token")
FAILED = tuple(outcome.word for outcome in Outcome if outcome is not Outcome.SUCCEEDED)


def linked(figure: str, href: str, sort: str = "") -> SafeString:
    """Returns a figure as a link to its calls, sorted by `sort`; plain text if `href` is ""."""
    if not href:
        return markup("%s", figure)
    return markup('<a href="%s">%s</a>', f"{href}&sort={sort}" if sort else href, figure)


class Behind(Protocol):
    """The interface of a link builder: makes drill-down links for the figures of one page."""

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """Returns a link to the calls of the page, optionally of a time range only, and with more filters."""

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        """Returns a function that makes the link for a time range.

        It is for the points of a chart: all other filters are encoded only once.
        """


@dataclass(frozen=True)
class CallsBehind:
    """Builds drill-down links to a team's list of calls, for a page whose query parameters are `asked`."""

    team: Team
    asked: QueryDict

    @classmethod
    def of_query(cls, query: UsageQuery, *, member: str = "", tokens: Sequence[str] = ()) -> Self:
        """Returns the link builder for the calls of a query.

        `member` and `tokens` are public ids; they narrow the links to the calls of this member, and to those
        with these tokens.
        """
        asked = QueryDict(mutable=True)
        asked["from"], asked["to"] = (
            on_the_clock(at, query.zone) for at in (query.range.start, query.range.end)
        )
        if member:
            asked["member"] = member
        if query.mode == Mode.TEST:
            asked["mode"] = Mode.TEST.word
        asked.setlist("model", list(query.models))
        asked.setlist("token", list(tokens))
        return cls(query.team, asked)

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """Returns a link to the calls of the page, optionally of a time range only, and with more filters.

        A filter replaces the page's filter of the same name. A list means several values, and
        `outcome="failed"` means all outcomes but success. `sort` is the order of the list.
        """
        if within is not None:
            return self.by_range(**narrower)(within)
        own = {name: values for name, values in self._asked.items() if name not in narrower}
        return f"{self._path}?{urlencode(own | _values(narrower), doseq=True)}"

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        """Returns a function that makes the link for a time range.

        It is for the points of a chart: all other filters are encoded only once.
        """
        own = {name: values for name, values in self._asked.items() if name not in {*_TIME, *narrower}}
        query, zone = urlencode(own | _values(narrower), doseq=True), self.team.zone
        rest = f"&{query}" if query else ""

        def of(within: Range) -> str:
            # The "+" of a UTC offset is the only character of a time that must be escaped in a query string.
            start, end = (on_the_clock(at, zone).replace("+", "%2B") for at in (within.start, within.end))
            return f"{self._path}?from={start}&to={end}{rest}"

        return of

    def by_key(self, name: str, **narrower: Any) -> Callable[[str], str]:
        """Returns a function that makes the link for a value of the filter `name`.

        It is for the rows of a table: all other filters are encoded only once.
        """
        own = {other: values for other, values in self._asked.items() if other not in {name, *narrower}}
        query = urlencode(own | _values(narrower), doseq=True)
        start = f"{self._path}?{query}&{name}=" if query else f"{self._path}?{name}="
        return lambda key: start + quote_plus(key)

    @cached_property
    def _path(self) -> str:
        return reverse("logs:list", args=[self.team.slug])

    @cached_property
    def _asked(self) -> dict[str, list[str]]:
        """The page's own filters, cached because hundreds of its links contain them."""
        return _kept(self.asked, SHARED)


@dataclass(frozen=True)
class OwnCallsBehind:
    """Builds drill-down links for the user's own calls in several contexts, which no single list can show.

    The links lead to a page that lists the contexts with their numbers of calls. `query` covers all contexts
    together.
    """

    query: UsageQuery
    asked: QueryDict

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """Returns a link to the user's calls of the page, narrowed as in `CallsBehind.to`.

        `within` must be the span of a time bucket or the previous period.
        """
        return self.by_range(**narrower)(within) if within else self._address(narrower)

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        address = self._address(narrower)
        start = address if address.endswith("?") else f"{address}&"

        def of(within: Range) -> str:
            if not isinstance(within, Span):
                return f"{start}before=1"
            before = "&before=1" if within.is_before else ""
            return f"{start}at={quote_plus(on_the_clock(within.bucket, self.query.zone))}{before}"

        return of

    def _address(self, narrower: dict[str, Any]) -> str:
        own = {name: values for name, values in self._asked.items() if name not in narrower}
        return f"{self._path}?{urlencode(own | _values(narrower), doseq=True)}"

    @cached_property
    def _path(self) -> str:
        return reverse("usage:me-calls")

    @cached_property
    def _asked(self) -> dict[str, list[str]]:
        return _kept(self.asked, OWN)


def _kept(asked: QueryDict, names: Sequence[str]) -> dict[str, list[str]]:
    kept = {name: [value for value in asked.getlist(name) if value] for name in names}
    return {name: values for name, values in kept.items() if values}


def _values(narrower: dict[str, Any]) -> dict[str, list[str]]:
    return {name: _texts(name, value) for name, value in narrower.items()}


def _texts(name: str, value: Any) -> list[str]:
    if (name, value) == ("outcome", "failed"):
        return list(FAILED)
    return [*map(str, value)] if isinstance(value, list) else [str(value)]
