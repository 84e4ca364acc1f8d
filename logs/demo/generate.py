"""Generates the demo's calls as they would be reported.

It uses no database and no clock; all randomness comes from the seed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np

from logs.demo.catalogue import MODELS
from logs.demo.failures import FAILURES, message_of
from logs.demo.incidents import Incident, Kind, incidents_until
from logs.demo.people import PERSONAL_CALLS, TEAMS
from logs.demo.rhythm import Floats, hourly_rates, times_within
from logs.demo.sample import UNKNOWN, Sampled, sample_calls, within
from logs.demo.sources import Source
from logs.formats.reported import ReportedCall

SEED = 20_240_229
DAYS = 90
_BATCH = 5_000
# All calls start at least this long before now, so that the newest ones have ended.
_SETTLED = timedelta(minutes=2)


@dataclass(frozen=True)
class Life:
    """All calls of the demo, generated but not yet converted to reported calls.

    `contexts` groups them by team or personal space, with one `Sampled` for each source.
    """

    start: datetime
    contexts: list[list[Sampled]]

    @property
    def total(self) -> int:
        return sum(len(sampled) for context in self.contexts for sampled in context)

    def batches(self, token_of: Callable[[Source], str]) -> Iterator[list[ReportedCall]]:
        """Yields batches of calls to record, ordered by time, each of one team or personal space."""
        for context in self.contexts:
            order = _in_order_of_time(context)
            for first in range(0, len(order), _BATCH):
                yield [
                    _reported(context[which], index, self.start, token_of(context[which].source))
                    for which, index in order[first : first + _BATCH]
                ]


def live(
    sources: Sequence[Source], *, now: datetime, seed: int = SEED, days: int = DAYS, scale: float = 1.0
) -> Life:
    """Generates the calls of the last `days` days up to `now` (aware). A `scale` of 0.01 generates a hundredth
    of the calls.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    window = Window(end - timedelta(days=days), now, days * 24 + 1, seed, scale)
    incidents = incidents_until(now)
    teams = [
        _live_together(group, window, plan.calls, [i for i in incidents if i.team == plan.slug])
        for plan in TEAMS
        if (group := [source for source in sources if source.team == plan.slug])
    ]
    personal = _live_together([source for source in sources if not source.team], window, PERSONAL_CALLS, [])
    alone = [list(group) for _email, group in groupby(personal, key=lambda sampled: sampled.source.email)]
    return Life(window.start, [*teams, *alone])


@dataclass(frozen=True)
class Window:
    """The time for which calls are generated: whole hours from `start`, up to `now`."""

    start: datetime
    now: datetime
    hours: int
    seed: int
    scale: float

    def seconds(self, at: datetime) -> float:
        return (at - self.start) / timedelta(seconds=1)


def _live_together(
    sources: Sequence[Source], window: Window, calls: int, incidents: Sequence[Incident]
) -> list[Sampled]:
    """Generates the calls of sources that together make `calls` calls in 90 days, divided by their weights."""
    chances = [np.random.default_rng([window.seed, source.number]) for source in sources]
    rates = [_rates(rng, source, window) for rng, source in zip(chances, sources, strict=True)]
    per_weight = calls * window.scale * window.hours / 24 / 90 / sum(rate.sum() for rate in rates)
    lived = []
    for rng, source, rate in zip(chances, sources, rates, strict=True):
        at = _through(rng, times_within(rng, rate * per_weight), source, window, incidents)
        lived.append(sample_calls(rng, source, at, window.start, incidents))
    return lived


def _rates(rng: np.random.Generator, source: Source, window: Window) -> Floats:
    """Returns the relative number of calls of a source in each hour, by its weight; 0 before joining and after
    leaving.
    """
    rates = hourly_rates(
        rng,
        start=window.start,
        hours=window.hours,
        zone=source.zone,
        rhythm=source.app.hours,
        growth=source.growth,
    )
    rates *= source.weight / max(rates.mean(), 1e-9)
    if source.joined_days_ago is not None:
        rates[: max(0, window.hours - source.joined_days_ago * 24)] = 0
    if source.left_days_ago is not None:
        rates[max(0, window.hours - source.left_days_ago * 24) :] = 0
    return rates


def _through(
    rng: np.random.Generator, at: Floats, source: Source, window: Window, incidents: Sequence[Incident]
) -> Floats:
    """Applies incidents to the starts of a source's calls: adds calls while a script loops, removes those
    during an outage.
    """
    for incident in incidents:
        if incident.kind is Kind.OUTAGE:
            at = at[~within(at, window.start, incident)]
        elif incident.kind is Kind.RUNAWAY and (source.email, source.app.name) == (
            incident.person,
            incident.app,
        ):
            first, last = window.seconds(incident.start), window.seconds(incident.end)
            more = rng.poisson(incident.strength * window.scale * (last - first) / 3600)
            at = np.sort(np.concatenate([at, rng.uniform(first, last, more)]))
    return at[(at >= 0) & (at < window.seconds(window.now - _SETTLED))]


def _in_order_of_time(context: Sequence[Sampled]) -> list[tuple[int, int]]:
    """Returns (index of the source in the context, index of the call in its source) for every call, oldest
    first.
    """
    which = np.repeat(np.arange(len(context)), [len(sampled) for sampled in context])
    index = np.concatenate([np.arange(len(sampled)) for sampled in context])
    order = np.argsort(np.concatenate([sampled.at for sampled in context]), kind="stable")
    return list(zip(which[order].tolist(), index[order].tolist(), strict=True))


def _reported(sampled: Sampled, index: int, start: datetime, token: str) -> ReportedCall:
    """Returns one call of the arrays as a reported call."""
    source, app = sampled.source, sampled.source.app
    model = MODELS[app.models[int(sampled.model[index])][0]]
    chance = int(sampled.chance[index])
    call = ReportedCall(
        request_id=f"req_{chance:016x}",
        started_at=start + timedelta(microseconds=int(sampled.at[index] * 1_000_000)),
        model=model.name,
        latency_ms=_known(sampled.latency_ms[index]),
        ttft_ms=_known(sampled.ttft_ms[index]),
        stream=bool(sampled.stream[index]),
        input_tokens=int(sampled.input_tokens[index]),
        output_tokens=int(sampled.output_tokens[index]),
        cached_tokens=int(sampled.cached_tokens[index]),
        cache_write_tokens=int(sampled.cache_write_tokens[index]),
        reasoning_tokens=int(sampled.reasoning_tokens[index]),
        provider=model.provider,
        endpoint=app.endpoint,
        channel=model.channels[chance % len(model.channels)],
        ip=source.ip,
        user_agent=app.user_agent,
        session_id=f"ses_{source.number:03x}{int(sampled.session[index]):05x}" if app.in_sessions else "",
        tags=list(app.tags),
        metadata={key: values[chance // 7 % len(values)] for key, values in app.metadata.items()},
        token=token,
    )
    if sampled.failure[index] >= 0:
        _fail(call, int(sampled.failure[index]), chance % 2**31)
    return call


def _fail(call: ReportedCall, kind: int, number: int) -> None:
    failure = FAILURES[kind]
    call.status, call.has_error = failure.status, True
    call.error_type, call.error_code = failure.type, failure.code
    call.error_message = message_of(failure, call.model, 800 + number % 9_000, number)


def _known(milliseconds: np.int64) -> int | None:
    return None if milliseconds == UNKNOWN else int(milliseconds)
