"""Finds the tokens that drove an episode, and the models that drove a member's episode, from single calls.

No hourly rollup has them. The values during the episode are counted from single calls. The usual values are
estimated from the daily rollup of past days: the share of each token or model, times the usual total of these
hours. If the calls are no longer stored, nothing is named.
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
# Where the measure of a kind stands in a list of calls, tokens, cost in nano-dollars, failures.
MEASURE = {Kind.CALLS: 0, Kind.MEMBER: 0, Kind.TOKENS: 1, Kind.COST: 2, Kind.ERRORS: 3}
# Calls in a quarter of an hour: its start, member id, token id, model, and the four measures.
CallRow = tuple[datetime, int, int, str, int, int, int, int]
CallSource = Callable[[Team, Mode, Sequence[Range]], Iterable[CallRow]]

_call_source: CallSource | None = None


def register_call_source(source: CallSource) -> None:
    """Registers the function that counts single calls in some hours.

    The app `logs` calls this once at startup, because `usage` may not import `logs`.
    """
    global _call_source  # set once, when the apps are ready
    _call_source = source


@dataclass(frozen=True)
class Detail:
    """The calls of one member with one token and model, in one hour of the hourly arrays or on one past day."""

    at: int | date
    member: int
    token: int
    model: str
    measures: Sequence[int]  # in the order of MEASURE; those of a day have no failures


@dataclass(frozen=True)
class Details:
    """The calls during some candidates (`calls`), and on the past days to compare them with (`days`)."""

    calls: Sequence[Detail] = ()
    days: Sequence[Detail] = ()


def read_details(
    team: Team, mode: Mode, hourly: Hourly, grid: Grid, candidates: Sequence[Candidate]
) -> Details:
    """Reads the calls during the candidates and on their past days, in two SQL statements.

    Candidates about latency, or longer than LONGEST hours, are left out.
    """
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
    """Returns the tokens or models during a candidate, and which of them drove it.

    The drivers are None if the calls are no longer stored, if only one token or model took part, or if the
    excess is spread over many.
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
    """Returns the time ranges sorted, with those that overlap or touch merged."""
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
    """Returns the candidate's measure (for example cost) and the number of calls, each by token or model."""
    sums: dict[Any, float] = defaultdict(float)
    calls: dict[Any, float] = defaultdict(float)
    for detail in details.calls:
        if one.member_id in {0, detail.member} and one.start <= detail.at < one.end:  # type: ignore[operator]
            cell = getattr(detail, dimension)
            sums[cell] += detail.measures[MEASURE[one.kind]]
            calls[cell] += detail.measures[0]
    return sums, calls


def _usual(one: Candidate, dimension: str, details: Details, hourly: Hourly) -> dict[Any, float]:
    """Returns the usual value by token or model in the candidate's hours.

    It is the share of the token or model on the past days, times the usual total of these hours.
    """
    sums: dict[Any, float] = defaultdict(float)
    days = set(_past_days(one, hourly))
    for detail in details.days:
        if one.member_id in {0, detail.member} and detail.at in days:
            sums[getattr(detail, dimension)] += detail.measures[MEASURE[one.kind]]
    whole = sum(sums.values())
    usual = float(usual_of_cells(_series(one, hourly), one.start, one.end).sum())
    return {cell: value / whole * usual for cell, value in sums.items()} if whole else {}


def _series(one: Candidate, hourly: Hourly) -> Any:
    """Returns the hourly series in which the candidate was found, of shape (T, 1)."""
    if one.kind is Kind.MEMBER:
        return hourly.member_calls[:, [hourly.members.index(one.member_id)]]
    of_kind = {Kind.CALLS: hourly.calls, Kind.TOKENS: hourly.tokens, Kind.COST: hourly.cost}
    return of_kind[one.kind][:, None]


def _past_days(one: Candidate, hourly: Hourly) -> list[date]:
    """Returns the same days of the week in the past weeks that the candidate is compared with."""
    first, hours = hourly.instant(one.start), one.end - one.start
    days = {day_of(first + timedelta(hours=hour), hourly.zone) for hour in range(hours)}
    return [day - timedelta(weeks=back) for day in days for back in range(1, PERIODS_BACK + 1)]
