"""Compares the calls of a month with statistics and quota use, to the nano-dollar, and lists all differences.

For the page for owners and administrators. It compares calls and costs, summed by the database.
`logs.integrity.recount`, used by the command `verify_usage`, checks every number, including the owners'
balances, which the calls of one team cannot explain.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from config.snapshot import one_snapshot
from logs.browsing.names import tokens_by_id
from logs.models import Call
from logs.recording.facts import LocalTimes
from logs.recording.ids import first_id
from logs.recording.kept_calls import kept_from
from teams.models import Mode, Team
from usage.parameters.names import people_of
from usage.quotas.levels import levels_in_team
from usage.quotas.models import Level, QuotaUse
from usage.rollups.buckets import day_start
from usage.rollups.models import (
    ROLLUPS,
    Counters,
    DayDetail,
    DayMember,
    DayModel,
    DayToken,
    HourMember,
    HourModel,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Any database reads so many calls within a second or two; a page should not take longer.
MOST_CALLS: Final = 250_000
MOST_SHOWN: Final = 50

NAMES: dict[type[Counters], "StrOrPromise"] = {
    HourModel: _("Statistics by hour and model"),
    HourMember: _("Statistics by hour and member"),
    DayModel: _("Statistics by day and model"),
    DayMember: _("Statistics by day and member"),
    DayToken: _("Statistics by day and token"),
    DayDetail: _("Statistics by day, member, token and model"),
}
LEVEL_NAMES: dict[Level, "StrOrPromise"] = {
    Level.TEAM: _("Quota used by the team"),
    Level.MEMBER: _("Quota used by its members"),
    Level.TOKEN: _("Quota used by its tokens"),
}


class Amount(NamedTuple):
    """A number of calls and their cost in nano-dollars."""

    calls: int = 0
    cost_nanos: int = 0

    def plus(self, other: "Amount") -> "Amount":
        return Amount(self.calls + other.calls, self.cost_nanos + other.cost_nanos)


class SumKey(NamedTuple):
    """The key of a sum of calls: a day of the team's calendar, and the member, token and model if the table
    separates them.
    """

    day: date
    member_id: int = 0
    token_id: int = 0
    model: str = ""


Amounts = dict[SumKey, Amount]


@dataclass(frozen=True)
class Mismatch:
    """A key whose stored sum differs from the sum of the calls in the logs. `who` names the member, token and
    model.
    """

    source: "StrOrPromise"
    place: SumKey
    stored: Amount
    logged: Amount
    who: str = ""


@dataclass(frozen=True)
class StoredTable:
    """A table of stored sums: its total, the total of the same calls in the logs, and the keys that differ."""

    name: "StrOrPromise"
    stored: Amount
    logged: Amount
    apart: list[Mismatch]


@dataclass(frozen=True)
class Reconciliation:
    """The result of a comparison of the days `[first, end)`."""

    first: date
    end: date
    logged: Amount
    sources: list[StoredTable]
    kept_from: date | None  # set if the calls of earlier days of the month were deleted
    is_cut: bool  # only the last days of the month were compared; they have at least MOST_CALLS calls

    @property
    def apart(self) -> list[Mismatch]:
        """The keys that differ, at most MOST_SHOWN."""
        return [one for source in self.sources for one in source.apart][:MOST_SHOWN]

    @property
    def apart_count(self) -> int:
        return sum(len(source.apart) for source in self.sources)


def reconcile(team: Team, mode: Mode, month: date) -> Reconciliation:
    """Compares the month that begins on the day `month` of the team's calendar. Everything is read in one
    database snapshot.
    """
    end = (month + timedelta(days=31)).replace(day=1)
    with one_snapshot():
        kept = kept_from(team)
        first = min(max(month, kept), end) if kept else month
        compared_from, logged = _logged(team, mode, first, end)
        stored = [*_stored_statistics(team, mode, compared_from, end)]
        stored += _stored_uses(team, mode, compared_from, end)
    total = _total(logged.values())
    sources = [_source(name, found, _projected(logged, seen_by)) for name, found, seen_by in stored]
    return Reconciliation(
        first=compared_from,
        end=end,
        logged=total,
        sources=_with_names(team, sources),
        kept_from=kept if kept and kept > month else None,
        is_cut=compared_from > first,
    )


def _logged(team: Team, mode: Mode, first: date, end: date) -> tuple[date, Amounts]:
    """Returns the sums of the calls by day, member, token and model, and the first day that was read.

    Days are read from the last one back, until MOST_CALLS calls were read.
    """
    found: Amounts = {}
    read, day = 0, end
    while day > first and read < MOST_CALLS:
        after, day = day, day - timedelta(days=1)
        ids = {"id__gte": first_id(day_start(day, team.zone)), "id__lt": first_id(day_start(after, team.zone))}
        calls = Call.objects.filter(team_id=team.pk, mode=mode, **ids).order_by()
        sums = calls.values("member_id", "token_id", "model").annotate(n=Count("id"), cost=Sum("cost_nanos"))
        for member, token, model, number, cost in sums.values_list(*SumKey._fields[1:], "n", "cost"):
            found[SumKey(day, member, token, model)] = Amount(number, int(cost))
            read += number
    return day, found


# A table's name, its stored sums, and a function that returns the keys in this table for a key with all parts.
Stored = tuple["StrOrPromise", Amounts, Callable[[SumKey], Iterable[SumKey]]]


def _stored_statistics(team: Team, mode: Mode, first: date, end: date) -> Iterable[Stored]:
    local = LocalTimes(team.zone)
    for rollup in ROLLUPS:
        time, *told_apart = rollup.DIMENSIONS
        from_, to = (first, end) if time == "day" else (day_start(first, team.zone), day_start(end, team.zone))
        within = {"team_id": team.pk, "mode": mode, f"{time}__gte": from_, f"{time}__lt": to}
        rows = rollup._default_manager.filter(**within)
        found: defaultdict[SumKey, Amount] = defaultdict(Amount)
        for at, *values, calls, cost in rows.values_list(time, *told_apart, "calls", "cost_nanos"):
            day = at if time == "day" else local(at)[1]
            place = SumKey(day, **dict(zip(told_apart, values, strict=True)))
            found[place] = found[place].plus(Amount(calls, cost))
        yield NAMES[rollup], found, _keeping(told_apart)


def _keeping(told_apart: Sequence[str]) -> Callable[[SumKey], Iterable[SumKey]]:
    """Returns the function that maps a full key (with member, token and model) to the key of a rollup, which
    has only the dimensions `told_apart`.
    """
    return lambda place: [SumKey(place.day, **{name: getattr(place, name) for name in told_apart})]


def _stored_uses(team: Team, mode: Mode, first: date, end: date) -> Iterable[Stored]:
    by_level: dict[Level, Amounts] = {level: {} for level in LEVEL_NAMES}
    rows = QuotaUse.objects.filter(team_id=team.pk, mode=mode, level__in=by_level, day__gte=first, day__lt=end)
    for level, subject, day, calls, cost in rows.values_list(
        "level", "subject_id", "day", "calls", "used_nanos"
    ):
        by_level[Level(level)][_use_place(day, level, subject)] = Amount(calls, cost)
    for level, found in by_level.items():
        yield LEVEL_NAMES[level], found, _charged_at(level)


def _charged_at(asked: Level) -> Callable[[SumKey], Iterable[SumKey]]:
    """Returns the function that maps a full key (with member, token and model) to the keys of one quota level.

    That is one key; at the token level, none for calls without a token.
    """
    return lambda place: [
        _use_place(place.day, level, subject)
        for level, subject in levels_in_team(place.member_id, place.token_id)
        if level == asked
    ]


def _use_place(day: date, level: int, subject: int) -> SumKey:
    if level == Level.MEMBER:
        return SumKey(day, member_id=subject)
    return SumKey(day, token_id=subject) if level == Level.TOKEN else SumKey(day)


def _projected(logged: Amounts, seen_by: Callable[[SumKey], Iterable[SumKey]]) -> Amounts:
    """Returns the calls in the logs, summed by the keys of a table."""
    found: defaultdict[SumKey, Amount] = defaultdict(Amount)
    for place, amount in logged.items():
        for seen in seen_by(place):
            found[seen] = found[seen].plus(amount)
    return found


def _source(name: "StrOrPromise", stored: Amounts, logged: Amounts) -> StoredTable:
    nothing = Amount()
    apart = [
        Mismatch(name, place, stored.get(place, nothing), logged.get(place, nothing))
        for place in sorted({*stored, *logged})
        if stored.get(place, nothing) != logged.get(place, nothing)
    ]
    return StoredTable(name, _total(stored.values()), _total(logged.values()), apart)


def _total(amounts: Iterable[Amount]) -> Amount:
    calls = cost = 0
    for amount in amounts:
        calls, cost = calls + amount.calls, cost + amount.cost_nanos
    return Amount(calls, cost)


def _with_names(team: Team, sources: list[StoredTable]) -> list[StoredTable]:
    """Adds names to all differences; without differences nothing is looked up."""
    places = [one.place for source in sources for one in source.apart[:MOST_SHOWN]]
    if not places:
        return sources
    people = people_of(team, also={place.member_id for place in places})
    tokens = tokens_by_id(place.token_id for place in places)

    def who(place: SumKey) -> str:
        person, token = people.get(place.member_id), tokens.get(place.token_id)
        names = [person.label if person else "", token.name if token else "", place.model]
        return ", ".join(filter(None, names))

    return [
        replace(source, apart=[replace(one, who=who(one.place)) for one in source.apart]) for source in sources
    ]
