"""Drill-down links: from a number to the logs with exactly the filters that produce the number."""

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

# What usage pages and logs are both filtered by. All else in the address of a usage page says how figures
# are shown, not which calls they are of.
_TIME = ("period", "from", "to")
SHARED = (*_TIME, "mode", "member", "model", "token")
# The same of the personal page; steps are there, too, for a bucket is named by its start.
OWN = (*_TIME, "granularity", "mode", "team", "model", "token")
FAILED = tuple(outcome.word for outcome in Outcome if outcome is not Outcome.SUCCEEDED)


def linked(figure: str, href: str, sort: str = "") -> SafeString:
    """A figure that links to the calls behind it, in its own sort order; without a link if `href` is ""."""
    if not href:
        return markup("%s", figure)
    return markup('<a href="%s">%s</a>', f"{href}&sort={sort}" if sort else href, figure)


class Behind(Protocol):
    """Builds links to the calls behind the figures of a page."""

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """A link to the calls of the page, optionally of a range, and with more filters."""

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        """The same as a function of the range, for the points of a chart: everything else is encoded once."""


@dataclass(frozen=True)
class CallsBehind:
    """Builds links to the calls behind the figures of one page, whose filters are `asked`."""

    team: Team
    asked: QueryDict

    @classmethod
    def of_query(cls, query: UsageQuery, *, member: str = "", tokens: Sequence[str] = ()) -> Self:
        """The links for a query about a team, or about a member and tokens of it given by public ids."""
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
        """A link to the calls of the page, optionally of a range, and with more filters.

        A filter replaces the page's filter of the same name; a list is several values, and `outcome="failed"`
        means all outcomes but success. `sort` is the order of the list.
        """
        if within is not None:
            return self.by_range(**narrower)(within)
        own = {name: values for name, values in self._asked.items() if name not in narrower}
        return f"{self._path}?{urlencode(own | _values(narrower), doseq=True)}"

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        """The same as a function of the range, for the points of a chart: everything else is encoded once."""
        own = {name: values for name, values in self._asked.items() if name not in {*_TIME, *narrower}}
        query, zone = urlencode(own | _values(narrower), doseq=True), self.team.zone
        rest = f"&{query}" if query else ""

        def of(within: Range) -> str:
            # Of a time only the sign of its offset means something else in an address.
            start, end = (on_the_clock(at, zone).replace("+", "%2B") for at in (within.start, within.end))
            return f"{self._path}?from={start}&to={end}{rest}"

        return of

    def by_key(self, name: str, **narrower: Any) -> Callable[[str], str]:
        """The same as a function of the value of filter `name`, for the rows of a table: everything else is
        encoded once.
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
        """The page's own filters, which hundreds of its links share."""
        return _kept(self.asked, SHARED)


@dataclass(frozen=True)
class OwnCallsBehind:
    """The same for one's own calls in several contexts, which no single list has: links lead to a page that
    lists the contexts and their numbers. `query` is the query of the whole.
    """

    query: UsageQuery
    asked: QueryDict

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """Like `CallsBehind.to`; a range is the span of a bucket, or the previous period."""
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
