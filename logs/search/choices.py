"""What a filter can be set to: values that occur in the period, with how many calls each has."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from logs.search.access_paths import MOST_PLACES
from logs.search.counts import BY_OUTCOME, counts_of
from logs.search.filters import statuses_named
from logs.search.index_scans import calls_of_routes, calls_of_tags, tally
from logs.search.plans import make_plan
from logs.search.query import CallQuery, calls_within
from logs.search.totals import count_calls
from usage.parameters.names import NO_TOKEN, people_of, tokens_with
from usage.rollups.models import Outcome
from usage.rollups.query import Dimension, UsageQuery
from usage.rollups.reader import filters

# What no rollup counts is counted in the newest calls only; failed ones have an index of all that is needed.
SAMPLE, SAMPLE_FAILED = 5_000, 20_000
# As far as the calls of one route or tag are counted, and of how many tags.
MOST_OF_VALUE, MOST_TAGS = 2_000, 200
MOST = 100
# The parameters of the usage query; the others are columns of calls.
_DIMENSIONS = {"member": Dimension.MEMBER, "model": Dimension.MODEL, "token": Dimension.TOKEN}
_OF_FAILED = {"status", "error_type"}
_OF_ROUTE = ("provider", "endpoint", "channel")


@dataclass(frozen=True)
class Choice:
    """A value as addresses write it, as people read it, and how many calls it has in the period."""

    value: str
    label: str
    calls: int
    note: str = ""
    is_least: bool = False  # there may be more calls than were counted


@dataclass(frozen=True)
class Choices:
    """What was found, most calls first. `sample`: how many of the newest calls were counted; 0 for all."""

    choices: list[Choice]
    sample: int
    has_more: bool


def choices_of(name: str, query: CallQuery, search: str) -> Choices:
    """The values of a filter, under the other filters by member, model and token, that contain a text.

    What is typed in full is found also where only the newest calls were counted.
    """
    found, sample = _found(name, query)
    wanted = search.strip().casefold()
    hits = [one for one in found if wanted in f"{one.label} {one.note}".casefold()]
    if sample and not any(one.value == search.strip() for one in hits):
        hits += _typed(name, query, search.strip())
    hits.sort(key=lambda one: (-one.calls, one.label))
    return Choices(hits[:MOST], sample, len(hits) > MOST)


def _found(name: str, query: CallQuery) -> tuple[list[Choice], int]:
    """All choices, and how many of the newest calls were looked through for them; 0 for all."""
    if name in _DIMENSIONS:
        return _by_dimension(name, query.usage), 0
    if name == "outcome":
        return _outcomes(query.usage), 0
    if not query.usage.filtered and (by_index := _by_index(name, query)) is not None:
        return by_index, 0
    return _sampled(name, query), SAMPLE_FAILED if name in _OF_FAILED else SAMPLE


def _by_dimension(name: str, usage: UsageQuery) -> list[Choice]:
    dimension = _DIMENSIONS[name]
    # A filter does not narrow its own choices.
    others: UsageQuery = replace(usage, **{f"{name}s": ()})  # type: ignore[arg-type]  # all are tuples
    counts = {key: calls for key, (calls,) in counts_of(others, dimension).items()}
    if dimension is Dimension.MODEL:
        return [Choice(model, model, calls) for model, calls in counts.items()]
    return _people(usage, counts) if dimension is Dimension.MEMBER else _tokens(usage, counts)


def _people(usage: UsageQuery, counts: dict[Any, int]) -> list[Choice]:
    people = people_of(usage.team, also=counts)
    return [
        Choice(people[pk].public_id, people[pk].label, calls, people[pk].email)
        for pk, calls in counts.items()
        if pk in people
    ]


def _tokens(usage: UsageQuery, counts: dict[Any, int]) -> list[Choice]:
    """Tokens with calls, and the calls that a gateway reported without one."""
    found = tokens_with(usage.team, counts)
    tokens = [Choice(one.public_id, one.name, counts[pk], one.holder) for pk, one in found.items()]
    return [*tokens, Choice(NO_TOKEN, _("Without a token"), counts[0])] if counts.get(0) else tokens


def _outcomes(usage: UsageQuery) -> list[Choice]:
    counts = zip(Outcome, counts_of(usage, None, BY_OUTCOME).get(None, [0] * len(BY_OUTCOME)), strict=True)
    return [Choice(outcome.word, str(outcome.label), calls) for outcome, calls in counts if calls]


def _by_index(name: str, query: CallQuery) -> list[Choice] | None:
    """All values that occur in the period, counted by an index of them; None where there is none, or too many."""
    if name == "tag":
        return _by_tag(query)
    return _by_route(name, query) if name in _OF_ROUTE else None


def _by_tag(query: CallQuery) -> list[Choice] | None:
    counts = calls_of_tags(query.usage, MOST_TAGS + 1, MOST_OF_VALUE)
    if len(counts) > MOST_TAGS:
        return None
    return [Choice(tag, tag, calls, is_least=calls >= MOST_OF_VALUE) for tag, calls in counts if calls]


def _by_route(name: str, query: CallQuery) -> list[Choice] | None:
    """Providers, endpoints and channels: all that occur, for the team's routes are known and each is counted.

    None where there are too many of them.
    """
    routes = calls_of_routes(query.usage, MOST_PLACES + 1, MOST_OF_VALUE)
    if len(routes) > MOST_PLACES:
        return None
    counts: Counter[str] = Counter()
    bounded = set()
    for *way, calls in routes:
        value = str(way[_OF_ROUTE.index(name)])
        counts[value] += int(calls)
        if calls >= MOST_OF_VALUE:
            bounded.add(value)
    return [Choice(value, value, n, is_least=value in bounded) for value, n in counts.items() if value and n]


def _sampled(name: str, query: CallQuery) -> list[Choice]:
    """Values of a column among the newest calls: of the failed ones, for what only they have."""
    calls = calls_within(query).filter(**filters(query.usage))
    if name == "tag":
        tagged = calls.order_by("-id").values_list("tags", flat=True)[:SAMPLE]
        counts: dict[Any, int] = Counter(tag for tags in tagged for tag in tags)
    elif name in _OF_FAILED:
        counts = tally(calls.exclude(outcome=Outcome.SUCCEEDED), name, SAMPLE_FAILED)
    else:
        counts = tally(calls, name, SAMPLE)
    return [Choice(str(value), str(value), n) for value, n in counts.items() if value not in ("", None)]


def _typed(name: str, query: CallQuery, text: str) -> list[Choice]:
    """The very value that somebody typed, if it occurs in the period, however long ago: by its index."""
    value: Any = statuses_named([text]).get(text) if name == "status" else text
    if value in (None, "") or "\x00" in text:  # PostgreSQL knows no NUL
        return []
    asked: dict[str, Any] = {name: value if name == "tag" else (value,)}
    query = CallQuery(query.usage, **asked)
    total = count_calls(query, make_plan(query))
    return [Choice(text, text, total.calls, is_least=not total.is_exact)] if total.calls else []
