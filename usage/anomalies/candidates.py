"""Runs the detectors on hourly arrays, groups their alarms into incidents of each kind and describes them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from usage.anomalies.detectors.common import ALARM, DAY, FORTNIGHT, Floats, Incident, incidents
from usage.anomalies.detectors.latency import find_slow
from usage.anomalies.detectors.members import MemberScores, find_members
from usage.anomalies.detectors.periods import (
    RULES,
    PeriodScores,
    find_periods,
    period_incidents,
    silence_around,
)
from usage.anomalies.detectors.rates import RateScores, find_rates
from usage.anomalies.episodes import Kind
from usage.anomalies.reading import EDGES_MS, Hourly
from usage.anomalies.sentences import (
    CALLS,
    COST,
    TOKENS,
    Unit,
    latency_sentence,
    member_sentence,
    period_sentence,
    rate_sentence,
)

SPIKES = [RULES.index(rule) for rule in "AB"]  # the shorter rule first
RAISED, GOES_ON = (
    0.25,
    0.5,
)  # the part of the highest hour's excess with which an hour belongs to the incident (see `core`)
Sentence = Callable[[Mapping[int, str]], str]


@dataclass(frozen=True)
class Candidate:
    """An incident of one kind, before its causes are known.

    Hours are indexes of the hourly arrays; `start` is included, `end` is not.
    """

    kind: Kind
    start: int
    end: int
    peak: int  # the hour with the highest excess
    score: float
    weight: float  # excess, in multiples of the team's usual hour
    sentence: Sentence  # a function of the members' names by id
    told: tuple[int, int]  # the hours that the sentence counts: the window with the highest score
    usual_rate: float = 0.0  # usual share of failures or slow calls, 0 to 1
    edge: int = 0  # for latency: index in EDGES_MS
    member_id: int = 0
    is_lack: bool = False  # less than usual, instead of more


def find_candidates(hourly: Hourly) -> list[Candidate]:
    """Returns the incidents of all kinds that overlap the hours to show (from index `hourly.shown` on)."""
    found = [*_periods(hourly), *_errors(hourly), *_latency(hourly), *_members(hourly)]
    return [one for one in found if one.end > hourly.shown]


def _periods(hourly: Hourly) -> Iterator[Candidate]:
    for kind, values, unit in (
        (Kind.CALLS, hourly.calls, CALLS),
        (Kind.TOKENS, hourly.tokens, TOKENS),
        (Kind.COST, hourly.cost, COST),
    ):
        yield from _period(hourly, kind, values, unit)


def _period(hourly: Hourly, kind: Kind, values: Floats, unit: Unit) -> Iterator[Candidate]:
    scores = find_periods(hourly.hours, values, None if kind is Kind.CALLS else hourly.calls)
    for one in map(partial(_told, scores), period_incidents(scores)):

        def sentence(_names: Mapping[int, str], one: Incident = one) -> str:
            return period_sentence(scores, hourly.hours, one, unit)

        off = float(scores.found[one.peak] - scores.expected[one.peak])
        start, end, peak = _period_core(scores, one)
        yield Candidate(
            kind=kind,
            start=start,
            end=end,
            peak=peak,
            score=float(scores.score[one.start : one.end].max()),
            weight=abs(off) / usual_hour(values, one.start),
            sentence=sentence,
            told=_told_hours(scores, one.peak),
            is_lack=off < 0,
        )


def _told(scores: PeriodScores, one: Incident) -> Incident:
    """Moves the peak of an incident to the hour that its sentence should describe.

    That is the highest-scoring hour of the shortest rule for spikes (A before B) that raised an alarm, because
    it dates the incident best.
    """
    hours = slice(one.start, one.end)
    for rule in SPIKES:
        alarms = np.where(scores.rule[hours] == rule, scores.score[hours], 0.0)
        if (alarms >= ALARM).any():
            return Incident(one.start, one.end, one.start + int(np.argmax(alarms)))
    return one


def _told_hours(scores: PeriodScores, peak: int) -> tuple[int, int]:
    if RULES[scores.rule[peak]] == "D":
        return silence_around(scores, peak)
    return window_at(peak, int(scores.spans[peak]))


def window_at(peak: int, span: int) -> tuple[int, int]:
    """Returns the hours `[start, end)` of a window of `span` hours that ends with the hour `peak`."""
    return max(peak - span + 1, 0), peak + 1


def _period_core(scores: PeriodScores, one: Incident) -> tuple[int, int, int]:
    """Returns start, end and highest hour of an incident of calls, tokens or cost, narrowed by `core`.

    A silence (rule D) is not narrowed. For slow growth (rule Y) only the highest hour is searched.
    """
    rule, usual = RULES[scores.rule[one.peak]], np.nan_to_num(scores.usual)
    if rule == "D":
        return one.start, one.end, one.peak
    start, end, peak = core(one, int(scores.spans[one.peak]), scores.values - usual, usual)
    return (one.start, one.end, peak) if rule == "Y" else (start, end, peak)


def core(one: Incident, span: int, excess: Floats, usual: Floats) -> tuple[int, int, int]:
    """Returns the hours `[start, end)` in which an incident really happened, and its highest hour.

    An incident covers all windows of its alarms, and a wide window begins long before the hours that raised the
    alarm. So the core reaches from the first raised hour to the last one. An hour is raised if its `excess` is
    at least a quarter of the highest hour's excess, either in absolute numbers or relative to the `usual`
    value; both arrays have shape (T,). After the last alarm the core continues while the excess is at least
    half of the highest.
    """
    first, last = window_at(one.peak, span)
    peak = first + int(np.argmax(excess[first:last]))
    part = RAISED * excess[peak]
    raised = (excess > 0) & ((excess >= part) | (excess * usual[peak] > part * usual))
    made = one.start + np.flatnonzero(raised[one.start : one.end])
    start, end = int(made.min(initial=peak)), int(made.max(initial=peak)) + 1
    while end < min(len(excess), start + DAY) and excess[end] >= GOES_ON * excess[peak] > 0:
        end += 1
    return start, end, peak


def _errors(hourly: Hourly) -> Iterator[Candidate]:
    errors = hourly.failures.sum(axis=1)
    scores = find_rates(errors, hourly.calls)
    for one in incidents(scores.score, scores.spans):

        def sentence(_names: Mapping[int, str], one: Incident = one) -> str:
            return rate_sentence(scores, hourly.hours, one)

        yield _rate(Kind.ERRORS, hourly, scores, one, sentence, errors)


def _latency(hourly: Hourly) -> Iterator[Candidate]:
    scores = find_slow(hourly.latency)
    for one in incidents(scores.score, scores.rate.spans):

        def sentence(_names: Mapping[int, str], one: Incident = one) -> str:
            return latency_sentence(scores, hourly.hours, one, EDGES_MS)

        edge = int(scores.edge[one.peak])
        slower = hourly.latency[:, edge + 1 :].sum(axis=1)
        yield _rate(Kind.LATENCY, hourly, scores.rate, one, sentence, slower, edge=edge)


def _rate(
    kind: Kind,
    hourly: Hourly,
    scores: RateScores,
    one: Incident,
    sentence: Sentence,
    hits: Floats,
    edge: int = 0,
) -> Candidate:
    """Returns the candidate for an unusual share of calls, which failed or were slow.

    `hits` (T,) are the numbers of these calls by hour.
    """
    usual = float(scores.usual[one.peak])
    off = float(scores.found[one.peak]) - usual * float(scores.calls[one.peak])
    excess = hits - usual * hourly.calls
    start, end, peak = core(one, int(scores.spans[one.peak]), excess, hourly.calls)
    return Candidate(
        kind=kind,
        start=start,
        end=end,
        peak=peak,
        score=float(scores.score[one.peak]),
        weight=off / usual_hour(hourly.calls, one.start),
        sentence=sentence,
        told=window_at(one.peak, int(scores.spans[one.peak])),
        usual_rate=usual,
        edge=edge,
    )


def _members(hourly: Hourly) -> Iterator[Candidate]:
    first = hourly.first_call
    if first is None or len(hourly.members) < 2:  # a single member's anomalies are those of the team
        return
    # A team's age counts from its first call, not from the first hour that was read.
    counts, offset = hourly.member_calls[first:], max(hourly.shown - first, 0)
    scores = find_members(counts, since=offset)
    for column in np.flatnonzero((scores.score >= ALARM).any(axis=0)).tolist():
        for one in incidents(scores.score[:, column], scores.spans[:, column]):
            yield _member(hourly, scores, one, column, first + offset)


def _member(hourly: Hourly, scores: MemberScores, one: Incident, column: int, first: int) -> Candidate:
    """Returns the candidate for one member's incident.

    `column` is the member's index. `first` is the index in the hourly arrays of the first row of the scores.
    """
    at = (one.peak, column)
    span, found, expected = int(scores.spans[at]), float(scores.found[at]), float(scores.expected[at])
    # The window of the first shown hour began before the shown hours.
    began = first + one.start - (span if one.start == 0 else 0)
    placed = Incident(max(began, 0), first + one.end, first + one.peak)
    usual = np.full(len(hourly.hours), expected / span)
    start, end, peak = core(placed, span, hourly.member_calls[:, column] - usual, usual)
    member_id = hourly.members[column]
    return Candidate(
        kind=Kind.MEMBER,
        start=start,
        end=end,
        peak=peak,
        score=float(scores.score[at]),
        weight=(found - expected) / usual_hour(hourly.calls, start),
        sentence=lambda names: member_sentence(scores, column, names[member_id], one),
        told=window_at(placed.peak, span),
        member_id=member_id,
    )


def usual_hour(values: Floats, before: int) -> float:
    """Returns the mean hourly value of the 14 days before the index `before`, at least 1."""
    past = values[max(before - FORTNIGHT, 0) : before]
    return max(float(past.mean()) if len(past) else 0.0, 1.0)
