"""Draws the calls of one source at random: tokens, times and failures of all calls at once, as numpy columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from logs.demo.catalogue import MODELS
from logs.demo.failures import FAILURES, OVERLOADED, RATE_LIMITED, UNAVAILABLE, choose_failures
from logs.demo.incidents import Incident, Kind
from logs.demo.rhythm import Floats, Ints
from logs.demo.sources import Source

Flags = NDArray[np.bool_]
_NO_FAILURE = -1
UNKNOWN = -1
_SESSION_GAP_S = 20 * 60
_BROKEN_STREAM = next(index for index, failure in enumerate(FAILURES) if failure.status == 200)
_CACHING = ("openai", "anthropic", "google")


@dataclass
class Sampled:
    """The calls of one source, with an array for each property. Times are in ms, UNKNOWN (-1) if there is none."""

    source: Source
    at: Floats  # seconds after the start of the window
    model: Ints  # position in the app's models
    input_tokens: Ints
    output_tokens: Ints
    cached_tokens: Ints
    cache_write_tokens: Ints
    reasoning_tokens: Ints
    latency_ms: Ints
    ttft_ms: Ints
    stream: Flags
    failure: Ints  # position in FAILURES, or -1
    session: Ints
    chance: Ints  # random numbers from 0 to 2^62, for ids and for choices among a few values

    def __len__(self) -> int:
        return len(self.at)


def sample_calls(
    rng: np.random.Generator, source: Source, at: Floats, start: datetime, incidents: Sequence[Incident]
) -> Sampled:
    """Draws all properties of the calls of a source. `at` has the seconds from `start` to the start of each
    call.
    """
    size = len(at)
    model = _choose_models(rng, source, at)
    stream = rng.random(size) < source.app.streamed
    sampled = Sampled(
        source=source,
        at=at,
        model=model,
        **_draw_tokens(rng, source, model),
        latency_ms=np.zeros(size, dtype=np.int64),
        ttft_ms=np.full(size, UNKNOWN),
        stream=stream,
        failure=np.full(size, _NO_FAILURE),
        session=np.cumsum(np.diff(at, prepend=-_SESSION_GAP_S) >= _SESSION_GAP_S),
        chance=rng.integers(0, 2**62, size),
    )
    _draw_times(rng, sampled, start, incidents)
    _draw_failures(rng, sampled, start, incidents)
    return sampled


def within(at: Floats, start: datetime, incident: Incident) -> Flags:
    """Returns for each call whether it starts during the incident."""
    first, last = ((edge - start) / timedelta(seconds=1) for edge in (incident.start, incident.end))
    return (at >= first) & (at < last)


def of_models(source: Source, attribute: str) -> NDArray[np.generic]:
    """Returns an attribute of each of the app's models, as an array to be indexed by `Sampled.model`."""
    return np.array([getattr(MODELS[name], attribute) for name, _weight in source.app.models])


def _choose_models(rng: np.random.Generator, source: Source, at: Floats) -> Ints:
    """Chooses a model for each call, by popularity, which changes over time: old models fade, new ones are
    adopted.
    """
    weights = np.array([weight for _name, weight in source.app.models])
    age = at / (90 * 86400) - 0.5
    shares = weights * np.exp(np.outer(age, of_models(source, "rise").astype(float)) * 2)
    edges = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    chosen: Ints = (rng.random((len(at), 1)) > edges[:, :-1]).sum(axis=1)
    return chosen


def _draw_tokens(rng: np.random.Generator, source: Source, model: Ints) -> dict[str, Ints]:
    app, size = source.app, len(model)
    prompt = np.clip(app.input_tokens * rng.lognormal(0, app.spread, size), 5, 120_000).astype(np.int64)
    answer = np.clip(app.output_tokens * rng.lognormal(0, 0.8, size), 0, 16_000)
    share = of_models(source, "reasoning").astype(float)[model]
    reasoning = (answer * share / (1 - share)).astype(np.int64)
    caching = np.isin(of_models(source, "provider"), _CACHING)[model] & (prompt >= 1024)
    hit = caching & (rng.random(size) < app.cached)
    # Caches store blocks of 64 tokens. With Anthropic, a call that finds nothing in the cache pays for writing
    # to it.
    cached = np.where(hit, (prompt * rng.beta(6, 2, size) / 64).astype(np.int64) * 64, 0)
    writes = caching & ~hit & (app.cached > 0) & (of_models(source, "provider") == "anthropic")[model]
    return {
        "input_tokens": prompt,
        "output_tokens": answer.astype(np.int64) + reasoning,
        "cached_tokens": cached,
        "cache_write_tokens": np.where(writes, (prompt * 0.8).astype(np.int64), 0),
        "reasoning_tokens": reasoning,
    }


def _draw_times(
    rng: np.random.Generator, sampled: Sampled, start: datetime, incidents: Sequence[Incident]
) -> None:
    """Draws latencies and times to first token, and stores them in `sampled`.

    Latency grows with the output and has a long tail; one call in a hundred is slow without a reason.
    """
    source, size = sampled.source, len(sampled)
    medians = of_models(source, "ttft_ms").astype(float)[sampled.model]
    spreads = of_models(source, "spread").astype(float)[sampled.model]
    pace = of_models(source, "ms_per_token").astype(float)[sampled.model]
    first = medians * np.exp(spreads * rng.standard_normal(size)) * (1 + sampled.input_tokens / 60_000)
    first *= np.where(rng.random(size) < 0.01, 1 + rng.pareto(1.5, size).clip(0, 25), 1.0)
    rest = sampled.output_tokens * pace * rng.lognormal(0, 0.25, size)
    for incident in incidents:
        if incident.kind is Kind.SLOW:
            slower = np.where(within(sampled.at, start, incident), incident.strength, 1.0)
            first, rest = first * slower, rest * slower
    sampled.latency_ms[:] = np.minimum(first + rest, 590_000)
    sampled.ttft_ms[:] = np.where(sampled.stream, np.minimum(first, sampled.latency_ms), UNKNOWN)
    # Gateways sometimes lose the time a call took.
    sampled.latency_ms[rng.random(size) < 0.003] = UNKNOWN
    sampled.ttft_ms[sampled.latency_ms == UNKNOWN] = UNKNOWN


def _draw_failures(
    rng: np.random.Generator, sampled: Sampled, start: datetime, incidents: Sequence[Incident]
) -> None:
    """Chooses which calls fail and how, and clears the tokens and times that a failed call does not have."""
    source, size = sampled.source, len(sampled)
    provider = of_models(source, "provider")[sampled.model]
    failing = rng.random(size) < source.app.failing * source.clumsiness
    kinds = choose_failures(rng, size)
    kinds[(kinds == OVERLOADED) & (provider != "anthropic")] = RATE_LIMITED
    kinds[(kinds == _BROKEN_STREAM) & ~sampled.stream] = UNAVAILABLE
    for incident in incidents:
        if incident.kind in {Kind.ERRORS, Kind.THROTTLED}:
            hit = within(sampled.at, start, incident) & (provider == incident.provider)
            hit &= rng.random(size) < incident.strength
            failing |= hit
            kinds[hit] = RATE_LIMITED if incident.kind is Kind.THROTTLED else UNAVAILABLE
            kinds[hit & (provider == "anthropic")] = OVERLOADED
    sampled.failure[failing] = kinds[failing]
    for index, failure in enumerate(FAILURES):
        failed = sampled.failure == index
        if failure.lasts:
            sampled.latency_ms[failed] = rng.integers(*failure.lasts, size=int(failed.sum()))
    _take_back(sampled, (sampled.failure >= 0) & (sampled.failure != _BROKEN_STREAM))


def _take_back(sampled: Sampled, refused: Flags) -> None:
    """Clears tokens and times to first token of `refused` calls; a broken stream keeps half of its output."""
    for column in (
        sampled.input_tokens,
        sampled.output_tokens,
        sampled.cached_tokens,
        sampled.cache_write_tokens,
        sampled.reasoning_tokens,
    ):
        column[refused] = 0
    sampled.ttft_ms[refused] = UNKNOWN
    sampled.output_tokens[sampled.failure == _BROKEN_STREAM] //= 2
    sampled.reasoning_tokens[:] = np.minimum(sampled.reasoning_tokens, sampled.output_tokens)
