"""The filters of a usage page (member, model, token, context), each with the values to choose from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils.translation import gettext as _

from teams.access import Access
from teams.models import Membership, Token
from usage.parameters.names import NO_TOKEN, NamedToken, Person
from usage.rollups.buckets import day_of
from usage.rollups.models import DayModel
from usage.rollups.query import UsageQuery
from usage.rollups.statements import KEYS, Slice, sums_of


@dataclass(frozen=True)
class Choice:
    """One value of a filter; `is_on` says whether it is selected."""

    value: str
    label: str
    is_on: bool


@dataclass(frozen=True)
class Filter:
    """One filter of a usage page: the query parameter that it sets, and its choices."""

    name: str
    label: str
    choices: list[Choice]
    # True: `choices` has only the selected values; the others are loaded when the filter is opened.
    is_long: bool = False

    @property
    def value(self) -> str:
        """The selection as text for the filter's button; "" if nothing is selected.

        It is the first selected value and how many more there are, for example `gpt-4o + 2`.
        """
        on = [choice.label for choice in self.choices if choice.is_on]
        return on[0] + (f" + {len(on) - 1}" if len(on) > 1 else "") if on else ""


def filters_of(
    query: UsageQuery,
    access: Access,
    *,
    people: Mapping[int, Person],
    tokens: Mapping[int, NamedToken],
    models: Sequence[str],
) -> list[Filter]:
    """Returns the filters of a team's usage page.

    Members may not see other members, so they get no filter by member. `people` and `tokens` must contain at
    least those that are selected now; `models` are all models of the period, including those that the filter
    excludes.
    """
    names = dict.fromkeys([*models, *query.models])
    by_model = [Choice(name, name, name in query.models) for name in names]
    asked = [tokens[pk] for pk in query.tokens if pk in tokens]
    by_token = [Choice(one.public_id, token_label(one, access), is_on=True) for one in asked]
    if 0 in query.tokens:
        by_token.append(Choice(NO_TOKEN, _("Without a token"), is_on=True))
    filters = [Filter("model", _("Model"), by_model), Filter("token", _("Token"), by_token, is_long=True)]
    if access.sees_team:
        chosen = [people[pk] for pk in query.members if pk in people]
        by_member = [Choice(one.public_id, one.label, is_on=True) for one in chosen]
        filters.insert(0, Filter("member", _("Member"), by_member, is_long=True))
    return filters


def own_filters(
    query: UsageQuery,
    memberships: Sequence[Membership],
    chosen: Sequence[Membership],
    tokens: Iterable[Token],
    models: Sequence[str],
) -> list[Filter]:
    """Returns the filters of the personal page: by context (if the user has several), by model and by token.

    `memberships` and `tokens` are all that the user has; `chosen` are the memberships whose contexts are
    selected now.
    """
    names = dict.fromkeys([*models, *query.models])
    is_some = len(chosen) < len(memberships)
    of_context = [Choice(one.team.slug, one.team.name, is_some and one in chosen) for one in memberships]
    of_model = [Choice(name, name, name in query.models) for name in names]
    of_token = [
        Choice(one.public_id, f"{one.name} ({one.team.name})", one.pk in query.tokens) for one in tokens
    ] + [Choice(NO_TOKEN, _("Without a token"), 0 in query.tokens)]
    filters = [Filter("model", _("Model"), of_model), Filter("token", _("Token"), of_token)]
    return [Filter("team", _("Context"), of_context), *filters] if len(memberships) > 1 else filters


def token_label(token: NamedToken, access: Access) -> str:
    """Returns the token's name, followed by its holder if the reader may see the tokens of others."""
    return f"{token.name} ({token.holder})" if access.sees_team else token.name


def models_called(query: UsageQuery) -> list[str]:
    """Returns the names of all models called on the days that the query's range touches, sorted.

    The query's filters are ignored, so that a filter can be changed to any of these models. One SQL statement.
    """
    first, last = day_of(query.range.start, query.zone), day_of(query.range.end, query.zone)
    everything = replace(query, members=(), models=(), tokens=())
    days = Slice(everything, DayModel, first, last + timedelta(days=1), by_slot=False, depth=KEYS)
    return sorted({row[1] for _number, rows in sums_of([days], ["model"]) for row in rows})
