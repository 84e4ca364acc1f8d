"""From a number to the calls behind it: addresses of the logs with exactly the filters that make the number."""

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
    """A figure that leads to the calls behind it, sorted by what it tells; by itself where `href` is ""."""
    if not href:
        return markup("%s", figure)
    return markup('<a href="%s">%s</a>', f"{href}&sort={sort}" if sort else href, figure)


class Behind(Protocol):
    """What writes the addresses of the calls behind the figures of a page."""

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """The calls of the page, perhaps only those within a range, and of them those that meet more filters."""

    def by_range(self, **narrower: Any) -> Callable[[Range], str]:
        """The same for each point of a chart: all but the range is written once."""


@dataclass(frozen=True)
class CallsBehind:
    """The addresses of the calls behind the figures of one page, whose filters are `asked`."""

    team: Team
    asked: QueryDict

    @classmethod
    def of_query(cls, query: UsageQuery, *, member: str = "", tokens: Sequence[str] = ()) -> Self:
        """Those of a question about a team, or with the public ids of a member and of tokens about them."""
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
        """The calls of the page, perhaps only those within a range, and of them those that meet more filters.

        A filter takes the place of the page's own of that name; a list is several values, and `outcome="failed"`
        all but succeeded. `sort` is the order of the list.
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

    def by_key(self, name: str, **narrower: Any) -> Callable[[str], str]:
        """The same for each line of a table, which is a value of the filter `name`: all else is written once."""
        own = {other: values for other, values in self._asked.items() if other not in {name, *narrower}}
        query = urlencode(own | _values(narrower), doseq=True)
        start = f"{self._path}?{query}&{name}=" if query else f"{self._path}?{name}="
        return lambda key: start + quote_plus(key)

    @cached_property
    def _path(self) -> str:
        return reverse("logs:list", args=[self.team.slug])

    @cached_property
    def _asked(self) -> dict[str, list[str]]:
        """The page's own filters, which hundreds of its numbers share."""
        return _kept(self.asked, SHARED)


@dataclass(frozen=True)
class OwnCallsBehind:
    """The same of one's own calls in several contexts, which no one list has: the page that says how many are
    where, and leads on. `query` is the question as a whole."""

    query: UsageQuery
    asked: QueryDict

    def to(self, within: Range | None = None, **narrower: Any) -> str:
        """As of `CallsBehind`; a range is the span of a bucket, or the period before."""
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
