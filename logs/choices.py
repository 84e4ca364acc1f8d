"""What a filter can be set to: values that occur in the period, with how many calls each has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from logs.counts import counts_of
from logs.query import CallQuery, calls_within
from teams.models import Token
from usage.cells import filters
from usage.models import Outcome
from usage.people import people_of
from usage.query import Dimension, UsageQuery

# What no rollup counts is counted in the newest calls only.
SAMPLE = 5_000
MOST = 200
# The parameters of the usage query; the others are columns of calls.
_DIMENSIONS = {"member": Dimension.MEMBER, "model": Dimension.MODEL, "token": Dimension.TOKEN}
_OF_FAILED = {"status", "error_type"}
_COUNTERS = ("succeeded", "client_errors", "throttled", "server_errors")


@dataclass(frozen=True)
class Choice:
    """A value as addresses write it, as people read it, and how many calls it has in the period."""

    value: str
    label: str
    calls: int
    note: str = ""


@dataclass(frozen=True)
class Choices:
    """What was found, most calls first; `is_sample` when only the newest calls were counted."""

    choices: list[Choice]
    is_sample: bool
    has_more: bool


def choices_of(name: str, query: CallQuery, search: str) -> Choices:
    """The values of a filter, under the other filters by member, model and token, that contain a text."""
    usage = query.usage
    if name in _DIMENSIONS:
        found = _by_dimension(name, usage)
    elif name == "outcome":
        found = _outcomes(usage)
    else:
        found = _sampled(name, query)
    wanted = search.casefold()
    hits = [one for one in found if wanted in f"{one.label} {one.note}".casefold()]
    hits.sort(key=lambda one: (-one.calls, one.label))
    return Choices(hits[:MOST], name not in {*_DIMENSIONS, "outcome"}, len(hits) > MOST)


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
    """Tokens with calls; those of calls that came without one are no choice."""
    found = Token.objects.filter(team=usage.team, pk__in=list(counts)).select_related("user")
    return [Choice(token.public_id, token.name, counts[token.pk], token.user.label) for token in found]


def _outcomes(usage: UsageQuery) -> list[Choice]:
    counts = zip(Outcome, counts_of(usage, None, _COUNTERS).get(None, [0] * len(_COUNTERS)), strict=True)
    return [Choice(outcome.word, str(outcome.label), calls) for outcome, calls in counts if calls]


def _sampled(name: str, query: CallQuery) -> list[Choice]:
    """Values of a column among the newest calls: of the failed ones, for what only they have."""
    calls = calls_within(query).filter(**filters(query.usage)).order_by("-id")
    if name in _OF_FAILED:
        calls = calls.exclude(outcome=Outcome.SUCCEEDED)
    column = "tags" if name == "tag" else name
    values: Iterable[Any] = calls.values_list(column, flat=True)[:SAMPLE]
    if name == "tag":
        values = (tag for tags in values for tag in tags)
    counts = Counter(values)
    return [Choice(str(value), str(value), n) for value, n in counts.items() if value not in ("", None)]
