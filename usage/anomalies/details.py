"""The tokens in an episode, and the models of one member in it, which no hourly rollup has.

Their part of an episode is counted from single calls. Their usual part is estimated from past days: the day's
value times the share of the day that these hours usually have. If the calls are no longer stored, no drivers
are named.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from teams.models import Mode, Team
from usage.anomalies.candidates import Candidate
from usage.anomalies.drivers import PERIODS_BACK, Driver, find_drivers, usual_of_cells
from usage.anomalies.episodes import Kind
from usage.anomalies.reading import Grid, Hourly
from usage.rollups.buckets import day_of
from usage.rollups.models import DayDetail
from usage.rollups.query import Range

# The longest episode, in hours, whose single calls are read; for longer ones no tokens are named.
LONGEST = 26
# The index of a kind's measure among calls, tokens, cost in nano-dollars, failures.
MEASURE = {Kind.CALLS: 0, Kind.MEMBER: 0, Kind.TOKENS: 1, Kind.COST: 2, Kind.ERRORS: 3}
# A quarter of an hour: its start, member, token, model, and the four measures.
CallRow = tuple[datetime, int, int, str, int, int, int, int]
CallSource = Callable[[Team, Mode, Sequence[Range]], Iterable[CallRow]]

_call_source: CallSource | None = None


def register_call_source(source: CallSource) -> None:
    """Registers the function that counts the calls of a few hours. `logs` calls this once; usage may not import
    logs.
    """
    global _call_source  # set once, when the apps are ready
    _call_source = source


@dataclass(frozen=True)
class Detail:
    """The calls of one member with one token and model, in an hour of the grid or on a past day."""

    at: int | date
    member: int
    token: int
    model: str
    measures: Sequence[int]  # in the order of MEASURE; those of a day have no failures


@dataclass(frozen=True)
class Details:
    """The counted calls of some candidates, and of the past days that they are compared with."""

    calls: Sequence[Detail] = ()
    days: Sequence[Detail] = ()


def read_details(
    team: Team, mode: Mode, hourly: Hourly, grid: Grid, candidates: Sequence[Candidate]
) -> Details:
    """Reads the calls of the candidates that are short enough, and their past days, in two statements."""
    found = [one for one in candidates if _is_detailed(one)]
    if not found or _call_source is None:
        return Details()
    ranges = united(Range(hourly.instant(one.start), hourly.instant(one.end)) for one in found)
    rows = list(_call_source(team, mode, ranges))
    places = grid.places(row[0] for row in rows).tolist()
    calls = [Detail(place, *row[1:4], row[4:]) for place, row in zip(places, rows, strict=True)]
    return Details(calls, _read_days(team, mode, hourly, found))


def _read_days(team: Team, mode: Mode, hourly: Hourly, found: Sequence[Candidate]) -> list[Detail]:
    days = {day for one in found if one.kind is not Kind.ERRORS for day in _past_days(one, hourly)}
    rows = DayDetail.objects.filter(team_id=team.pk, mode=mode, day__in=days).values_list(
        "day", "member_id", "token_id", "model", "calls", "input_tokens", "output_tokens", "cost_nanos"
    )
    return [
        Detail(day, member, token, model, (calls, tokens_in + tokens_out, cost))
        for day, member, token, model, calls, tokens_in, tokens_out, cost in rows
    ]


def explained_by_calls(
    one: Candidate, dimension: str, details: Details, hourly: Hourly
) -> tuple[Sequence[Any], Sequence[Driver] | None]:
    """The tokens or models that drove a candidate, or None.

    None if its calls are no longer stored, if only one token or model took part, or if the excess is spread.
    """
    if not _is_detailed(one):
        return (), None
    found, calls = _found(one, dimension, details)
    if one.kind is Kind.ERRORS:
        usual = {cell: one.usual_rate * number for cell, number in calls.items()}
    else:
        usual = _usual(one, dimension, details, hourly)
    cells = sorted({*found, *usual}, key=str)
    if len(cells) < 2 or not found:
        return (), None
    drivers = find_drivers(
        np.array([found.get(cell, 0.0) for cell in cells]), np.array([usual.get(cell, 0.0) for cell in cells])
    )
    # Token 0 stands for calls that a gateway reported for a member without a token: there is nothing to name.
    is_nameless = any(not cells[driver.cell] for driver in drivers)
    return cells, None if is_nameless or not drivers else drivers


def united(ranges: Iterable[Range]) -> list[Range]:
    """The ranges merged where they overlap or touch."""
    done: list[Range] = []
    for one in sorted(ranges, key=lambda one: one.start):
        if done and one.start <= done[-1].end:
            done[-1] = Range(done[-1].start, max(done[-1].end, one.end))
        else:
            done.append(one)
    return done


def _is_detailed(one: Candidate) -> bool:
    return one.kind is not Kind.LATENCY and one.end - one.start <= LONGEST


def _found(one: Candidate, dimension: str, details: Details) -> tuple[dict[Any, float], dict[Any, float]]:
    """The candidate's measure by cell, and the calls behind it."""
    sums: dict[Any, float] = defaultdict(float)
    calls: dict[Any, float] = defaultdict(float)
    for detail in details.calls:
        if one.member_id in {0, detail.member} and one.start <= detail.at < one.end:  # type: ignore[operator]
            cell = getattr(detail, dimension)
            sums[cell] += detail.measures[MEASURE[one.kind]]
            calls[cell] += detail.measures[0]
    return sums, calls


def _usual(one: Candidate, dimension: str, details: Details, hourly: Hourly) -> dict[Any, float]:
    """The usual value by cell: its share of the past days, scaled to the usual total of the candidate's hours."""
    sums: dict[Any, float] = defaultdict(float)
    days = set(_past_days(one, hourly))
    for detail in details.days:
        if one.member_id in {0, detail.member} and detail.at in days:
            sums[getattr(detail, dimension)] += detail.measures[MEASURE[one.kind]]
    whole = sum(sums.values())
    usual = float(usual_of_cells(_series(one, hourly), one.start, one.end).sum())
    return {cell: value / whole * usual for cell, value in sums.items()} if whole else {}


def _series(one: Candidate, hourly: Hourly) -> Any:
    """(T, 1): the hourly series in which the candidate is an incident."""
    if one.kind is Kind.MEMBER:
        return hourly.member_calls[:, [hourly.members.index(one.member_id)]]
    of_kind = {Kind.CALLS: hourly.calls, Kind.TOKENS: hourly.tokens, Kind.COST: hourly.cost}
    return of_kind[one.kind][:, None]


def _past_days(one: Candidate, hourly: Hourly) -> list[date]:
    """The same days of the weeks before."""
    first, hours = hourly.instant(one.start), one.end - one.start
    days = {day_of(first + timedelta(hours=hour), hourly.zone) for hour in range(hours)}
    return [day - timedelta(weeks=back) for day in days for back in range(1, PERIODS_BACK + 1)]
