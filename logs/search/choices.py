"""Counts the calls of each value of a filter, for the menu from which people choose values.

Members, models, tokens and outcomes are counted by the rollups, tags and routes in their indexes, everything
else among the latest calls only.
"""

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

# How many of the latest calls are counted if no rollup counts the column; more among failed calls, whose index
# contains the column.
SAMPLE, SAMPLE_FAILED = 5_000, 20_000
# Calls of one route or tag are counted up to the first number; with more tags than the second, see
# `count_tags`.
MOST_OF_VALUE, MOST_TAGS = 2_000, 200
MOST = 100


@dataclass(frozen=True)
class Choices:
    """The values that a menu shows, those with the most calls first.

    `sample` is the number of latest calls that were searched for values; 0 means that all calls were counted.
    `has_more` is set if more than MOST values were found.
    """

    choices: list[Choice]
    sample: int
    has_more: bool


def choices_of(one: CallFilter, query: CallQuery, search: str) -> Choices:
    """Returns the values of a filter whose label or note contains the text `search`, with the number of their
    calls.

    Only calls that match the page's filters by member, model and token are counted. A value that is typed in
    full is found even if it does not occur among the latest calls.
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
    """Returns the exact value that was typed, if it has calls in the period. It is looked up in its index, so
    that old calls are found too.
    """
    value = one.read(text)
    if value in (None, "") or "\x00" in text:  # PostgreSQL knows no NUL
        return []
    query = one.filter(CallQuery(query.usage), value)
    total = count_calls(query, make_plan(query))
    return [Choice(text, text, total.calls, is_least=not total.is_exact)] if total.calls else []


# --- Functions that count the values of a filter; a filter's declaration names one as `choices` ------


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
    """Counts the calls of each token, and the calls that a gateway reported without a token."""
    counts = _by_dimension(one, query.usage)
    found = tokens_with(query.usage.team, counts)
    tokens = [Choice(token.public_id, token.name, counts[pk], token.holder) for pk, token in found.items()]
    if counts.get(0):
        tokens.append(Choice(NO_TOKEN, _("Without a token"), counts[0]))
    return Counted(tokens)


def _by_dimension(one: DimensionFilter, usage: UsageQuery) -> dict[Any, int]:
    """Counts calls by member, model or token. The filter's own selection is ignored, so that other values are
    offered too.
    """
    counts = counts_of(usage.only(one.dimension, ()), one.dimension)
    return {key: calls for key, (calls,) in counts.items()}


def count_outcomes(one: CallFilter, query: CallQuery) -> Counted:
    found = counts_of(query.usage, None, BY_OUTCOME).get(None, [0] * len(BY_OUTCOME))
    counts = zip(Outcome, found, strict=True)
    return Counted([Choice(outcome.word, str(outcome.label), calls) for outcome, calls in counts if calls])


def count_tags(one: CallFilter, query: CallQuery) -> Counted:
    """Counts the calls of every tag in the index of tags; among the latest calls only, if the team has too many
    tags or calls are filtered by member, model or token.
    """
    if not query.usage.filtered:
        counts = calls_of_tags(query.usage, MOST_TAGS + 1, MOST_OF_VALUE)
        if len(counts) <= MOST_TAGS:
            found = [Choice(tag, tag, n, is_least=n >= MOST_OF_VALUE) for tag, n in counts if n]
            return Counted(found)
    calls = calls_within(query).filter(**filters(query.usage))
    tagged = calls.order_by("-id").values_list("tags", flat=True)[:SAMPLE]
    return _sampled(Counter(tag for tags in tagged for tag in tags), SAMPLE)


def count_routes(one: CallFilter, query: CallQuery) -> Counted:
    """Counts the calls of every provider, endpoint or channel, from the team's routes
    (`logs.models.CallRoute`).

    Counts among the latest calls only, if the team has too many routes or calls are filtered by member, model
    or token.
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
    """Counts the values of a column among the latest SAMPLE calls."""
    calls = calls_within(query).filter(**filters(query.usage))
    return _sampled(tally(calls, one.field_name, SAMPLE), SAMPLE)


def count_newest_failed(one: CallFilter, query: CallQuery) -> Counted:
    """Counts the values of a column that only failed calls have, among the latest SAMPLE_FAILED failed calls."""
    calls = calls_within(query).filter(**filters(query.usage)).exclude(outcome=Outcome.SUCCEEDED)
    return _sampled(tally(calls, one.field_name, SAMPLE_FAILED), SAMPLE_FAILED)


def _sampled(counts: dict[Any, int], sample: int) -> Counted:
    found = counts.items()
    return Counted([Choice(str(value), str(value), n) for value, n in found if value not in ("", None)], sample)
