"""Finds what drove anomalies: the members, tokens, models and kinds of failure above their usual value.

Runs five SQL statements for all episodes together. Members and models are read from the hourly rollups; tokens,
and the models of one member, from single calls (`usage.anomalies.details`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from teams.models import Mode, Team
from usage.anomalies.candidates import Candidate
from usage.anomalies.details import MEASURE, Details, explained_by_calls, read_details, united
from usage.anomalies.detectors.common import DAY, WEEK, Floats
from usage.anomalies.drivers import PERIODS_BACK, Driver, find_drivers, usual_of_cells
from usage.anomalies.episodes import VOLUME, Kind
from usage.anomalies.reading import Grid, Hourly, histogram
from usage.rollups.buckets import day_of
from usage.rollups.models import DayModel, HourMember, HourModel, Outcome
from usage.rollups.query import Range

_MEASURES = ("calls", "tokens", "cost", "failed")


@dataclass(frozen=True)
class NamedCell:
    """A member, token, model or kind of failure that drove an episode, and its share of the excess.

    `cell` is its user id, token id, name or outcome.
    """

    dimension: str
    cell: Any
    share: float  # 0 to 1


@dataclass(frozen=True)
class Drivers:
    """The causes of one episode.

    `named` are the members, tokens, models and kinds of failure that explain most of its excess. `spread` are
    the dimensions in which the excess is spread over too many of them to name any.
    """

    named: tuple[NamedCell, ...] = ()
    spread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cells:
    """The hourly values of one dimension (members or models): T hours, C members or models, four measures."""

    names: tuple[Any, ...]
    sums: Floats  # (T, C, 4): calls, tokens, cost in nano-dollars, failed calls
    sketches: tuple[tuple[int, int, bytes], ...]  # index in the grid, cell, latency sketch


def find_causes(team: Team, mode: Mode, hourly: Hourly, found: Sequence[Candidate]) -> list[Drivers]:
    """Returns the causes of each candidate, in the order of the candidates."""
    if not found:
        return []
    grid = Grid(Range(hourly.instant(0), hourly.instant(len(hourly.hours))), hourly.zone)
    hours = _hours_asked(hourly, found)
    members = _cells(HourMember.objects, "member_id", team, mode, hours, grid)
    models = _cells(HourModel.objects, "model", team, mode, hours, grid)
    details = read_details(team, mode, hourly, grid, found)
    has_models = _has_several_models(team, mode, hourly)
    return [
        _joined(
            [
                ("member", *_explained(one, members, has_several=len(hourly.members) > 1)),
                ("model", *_models(one, models, details, hourly, has_several=has_models)),
                ("token", *explained_by_calls(one, "token", details, hourly)),
                ("outcome", *_outcomes(hourly, one)),
            ]
        )
        for one in found
    ]


def _joined(parts: Iterable[tuple[str, Sequence[Any], Sequence[Driver] | None]]) -> Drivers:
    """Combines what was found in each dimension: its cells, and the drivers among them.

    Drivers of None mean that the dimension explains nothing; an empty sequence means that the excess is spread
    over it.
    """
    named: list[NamedCell] = []
    spread: list[str] = []
    for dimension, cells, drivers in parts:
        if drivers:
            named += [NamedCell(dimension, cells[driver.cell], min(driver.share, 1.0)) for driver in drivers]
        elif drivers is not None:
            spread.append(dimension)
    return Drivers(tuple(named), tuple(spread))


def _hours_asked(hourly: Hourly, found: Sequence[Candidate]) -> list[Range]:
    """Returns the hours to read from the rollups.

    They are the hours of the candidates and, for calls, tokens and cost, the past hours that they are compared
    with.
    """
    ranges: list[Range] = []
    for one in found:
        step, back = _step(one), PERIODS_BACK if one.kind in VOLUME else 0
        starts = [start for start in range(one.start, one.start - step * back - 1, -step) if start >= 0]
        length = one.end - one.start
        ranges += [Range(hourly.instant(start), hourly.instant(start + length)) for start in starts]
    return united(ranges)


def _step(one: Candidate) -> int:
    """Returns how many hours lie between two compared periods, as in `usual_of_cells`."""
    step = WEEK if one.start >= WEEK else DAY
    return step * -(-(one.end - one.start) // step)


def _cells(rows: Any, column: str, team: Team, mode: Mode, hours: Sequence[Range], grid: Grid) -> Cells:
    within = reduce(or_, (Q(hour__gte=one.start, hour__lt=one.end) for one in hours))
    found: QuerySet[Any] = rows.filter(within, team_id=team.pk, mode=mode)
    fields = ("hour", column, "calls", "succeeded", "input_tokens", "output_tokens", "cost_nanos")
    table = list(found.values_list(*fields, "latency_sketch"))
    names = tuple(sorted({row[1] for row in table}))
    cell = {name: index for index, name in enumerate(names)}
    places, cells = grid.places(row[0] for row in table), [cell[row[1]] for row in table]
    sums = np.zeros((len(grid.hours), len(names), len(_MEASURES)))
    for place, index, (_at, _name, calls, succeeded, tokens_in, tokens_out, cost, _sketch) in zip(
        places.tolist(), cells, table, strict=True
    ):
        sums[place, index] += (calls, tokens_in + tokens_out, cost, calls - succeeded)
    sketches = zip(places.tolist(), cells, (bytes(row[-1]) for row in table), strict=True)
    return Cells(names, sums, tuple(sketches))


def _has_several_models(team: Team, mode: Mode, hourly: Hourly) -> bool:
    """Whether the team called more than one model on the days of the hourly arrays."""
    first, last = (day_of(hourly.instant(place), hourly.zone) for place in (0, len(hourly.hours)))
    days = DayModel.objects.filter(team_id=team.pk, mode=mode, day__gte=first, day__lte=last)
    return len(days.order_by().values("model").distinct()[:2]) > 1


def _models(
    one: Candidate, models: Cells, details: Details, hourly: Hourly, *, has_several: bool
) -> tuple[Sequence[Any], Sequence[Driver] | None]:
    if one.kind is Kind.MEMBER:
        return explained_by_calls(one, "model", details, hourly)
    return _explained(one, models, has_several=has_several)


def _explained(
    one: Candidate, cells: Cells, *, has_several: bool
) -> tuple[Sequence[Any], Sequence[Driver] | None]:
    """Returns the members or models of the rollup, and which of them drove a candidate.

    The drivers are None if the dimension cannot explain anything: for a candidate about one member, or if the
    team has only one member or model (`has_several` is False).
    """
    hours = slice(one.start, one.end)
    if one.kind is Kind.MEMBER or not has_several or not cells.names:
        return (), None
    calls = cells.sums[hours, :, 0].sum(axis=0)
    if one.kind is Kind.LATENCY:
        return cells.names, find_drivers(_slow_calls(one, cells), one.usual_rate * calls)
    found = cells.sums[hours, :, MEASURE[one.kind]].sum(axis=0)
    if one.kind is Kind.ERRORS:
        return cells.names, find_drivers(found, one.usual_rate * calls)
    usual = usual_of_cells(cells.sums[..., MEASURE[one.kind]], one.start, one.end)
    return cells.names, find_drivers(found, usual)


def _slow_calls(one: Candidate, cells: Cells) -> Floats:
    """Returns how many slow calls each member or model had in the candidate's hours, of shape (C,).

    A call is slow if it took longer than the candidate's edge in EDGES_MS.
    """
    inside = [
        (cell, sketch) for place, cell, sketch in cells.sketches if one.start <= place < one.end and sketch
    ]
    groups = np.array([cell for cell, _sketch in inside], dtype=np.int64)
    counts = histogram([sketch for _cell, sketch in inside], groups, len(cells.names))
    slower: Floats = counts[:, one.edge + 1 :].sum(axis=1)
    return slower


def _outcomes(hourly: Hourly, one: Candidate) -> tuple[Sequence[Any], Sequence[Driver] | None]:
    """Returns the kinds of failure, and which of them drove an excess of failures.

    They are compared with the 14 days before.
    """
    if one.kind is not Kind.ERRORS:
        return (), None
    past = hourly.failures[max(one.start - 2 * WEEK, 0) : one.start].sum(axis=0)
    shares = past / past.sum() if past.sum() else np.full(3, 1 / 3)
    usual = shares * one.usual_rate * hourly.calls[one.start : one.end].sum()
    found = hourly.failures[one.start : one.end].sum(axis=0)
    return (Outcome.CLIENT_ERROR, Outcome.THROTTLED, Outcome.SERVER_ERROR), find_drivers(found, usual)
