"""The values of a filter that occur in the period, and how many calls each has."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from logs.search.access_paths import MOST_PLACES, ROUTE
from logs.search.counts import BY_OUTCOME, counts_of
from logs.search.filter_types import CallFilter, Choice, Counted, DimensionFilter
from logs.search.index_scans import calls_of_routes, calls_of_tags, tally
from logs.search.plans import make_plan
from logs.search.query import CallQuery, calls_within
from logs.search.totals import count_calls
from usage.parameters.names import NO_TOKEN, people_of, tokens_with
from usage.rollups.models import Outcome
from usage.rollups.query import UsageQuery
from usage.rollups.reader import filters

# What no rollup counts is counted in the newest calls only; failed ones have an index of all that is needed.
SAMPLE, SAMPLE_FAILED = 5_000, 20_000
# As far as the calls of one route or tag are counted, and of how many tags.
MOST_OF_VALUE, MOST_TAGS = 2_000, 200
MOST = 100


@dataclass(frozen=True)
class Choices:
    """The values found, most calls first. `sample`: how many of the latest calls were counted; 0 for all."""

    choices: list[Choice]
    sample: int
    has_more: bool


def choices_of(one: CallFilter, query: CallQuery, search: str) -> Choices:
    """The values of a filter that contain a text, under the other filters by member, model and token.

    A value that is typed in full is found even where only the latest calls were counted.
    """
    assert one.choices is not None
    counted = one.choices(one, query)
    wanted = search.strip().casefold()
    hits = [choice for choice in counted.choices if wanted in f"{choice.label} {choice.note}".casefold()]
    if counted.sample and not any(choice.value == search.strip() for choice in hits):
        hits += _typed(one, query, search.strip())
    hits.sort(key=lambda choice: (-choice.calls, choice.label))
    return Choices(hits[:MOST], counted.sample, len(hits) > MOST)


def _typed(one: CallFilter, query: CallQuery, text: str) -> list[Choice]:
    """The exact value that was typed, if it occurs in the period, however long ago: looked up in its index."""
    value = one.read(text)
    if value in (None, "") or "\x00" in text:  # PostgreSQL knows no NUL
        return []
    query = one.filter(CallQuery(query.usage), value)
    total = count_calls(query, make_plan(query))
    return [Choice(text, text, total.calls, is_least=not total.is_exact)] if total.calls else []


# --- How the values of a filter are counted; `choices` of its declaration names one of these ------


def count_models(one: DimensionFilter, query: CallQuery) -> Counted:
    return Counted([Choice(model, model, calls) for model, calls in _by_dimension(one, query.usage).items()])


def count_members(one: DimensionFilter, query: CallQuery) -> Counted:
    counts = _by_dimension(one, query.usage)
    people = people_of(query.usage.team, also=counts)
    choices = [
        Choice(people[pk].public_id, people[pk].label, calls, people[pk].email)
        for pk, calls in counts.items()
        if pk in people
    ]
    return Counted(choices)


def count_tokens(one: DimensionFilter, query: CallQuery) -> Counted:
    """Tokens with calls, and the calls that a gateway reported without one."""
    counts = _by_dimension(one, query.usage)
    found = tokens_with(query.usage.team, counts)
    tokens = [Choice(token.public_id, token.name, counts[pk], token.holder) for pk, token in found.items()]
    if counts.get(0):
        tokens.append(Choice(NO_TOKEN, _("Without a token"), counts[0]))
    return Counted(tokens)


def _by_dimension(one: DimensionFilter, usage: UsageQuery) -> dict[Any, int]:
    """Calls by the values of a dimension. A filter does not narrow its own choices."""
    counts = counts_of(usage.only(one.dimension, ()), one.dimension)
    return {key: calls for key, (calls,) in counts.items()}


def count_outcomes(one: CallFilter, query: CallQuery) -> Counted:
    found = counts_of(query.usage, None, BY_OUTCOME).get(None, [0] * len(BY_OUTCOME))
    counts = zip(Outcome, found, strict=True)
    return Counted([Choice(outcome.word, str(outcome.label), calls) for outcome, calls in counts if calls])


def count_tags(one: CallFilter, query: CallQuery) -> Counted:
    """All tags that occur, counted in their index; in the latest calls if there are too many tags."""
    if not query.usage.filtered:
        counts = calls_of_tags(query.usage, MOST_TAGS + 1, MOST_OF_VALUE)
        if len(counts) <= MOST_TAGS:
            found = [Choice(tag, tag, n, is_least=n >= MOST_OF_VALUE) for tag, n in counts if n]
            return Counted(found)
    calls = calls_within(query).filter(**filters(query.usage))
    tagged = calls.order_by("-id").values_list("tags", flat=True)[:SAMPLE]
    return _sampled(Counter(tag for tags in tagged for tag in tags), SAMPLE)


def count_routes(one: CallFilter, query: CallQuery) -> Counted:
    """All providers, endpoints and channels that occur: the team's routes are known, and each is counted.

    In the latest calls if there are too many routes.
    """
    if query.usage.filtered:
        return count_newest(one, query)
    routes = calls_of_routes(query.usage, MOST_PLACES + 1, MOST_OF_VALUE)
    if len(routes) > MOST_PLACES:
        return count_newest(one, query)
    counts: Counter[str] = Counter()
    bounded = set()
    for *way, calls in routes:
        value = str(way[ROUTE.index(one.field_name)])
        counts[value] += int(calls)
        if calls >= MOST_OF_VALUE:
            bounded.add(value)
    found = counts.items()
    return Counted([Choice(value, value, n, is_least=value in bounded) for value, n in found if value and n])


def count_newest(one: CallFilter, query: CallQuery) -> Counted:
    """The values of a column among the latest calls."""
    calls = calls_within(query).filter(**filters(query.usage))
    return _sampled(tally(calls, one.field_name, SAMPLE), SAMPLE)


def count_newest_failed(one: CallFilter, query: CallQuery) -> Counted:
    """The values of a column that only failed calls have, among the latest failed calls."""
    calls = calls_within(query).filter(**filters(query.usage)).exclude(outcome=Outcome.SUCCEEDED)
    return _sampled(tally(calls, one.field_name, SAMPLE_FAILED), SAMPLE_FAILED)


def _sampled(counts: dict[Any, int], sample: int) -> Counted:
    found = counts.items()
    return Counted([Choice(str(value), str(value), n) for value, n in found if value not in ("", None)], sample)
