"""What the usage pages are made of: statistics with names to them, and what may be filtered by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from teams.access import Access
from teams.models import Token
from usage.cells import SingleCalls
from usage.levels import LevelState
from usage.models import Level, QuotaUse
from usage.people import Person, people_of, tokens_of
from usage.query import Dimension, UsageQuery
from usage.quotas import member_levels
from usage.statistics import Overview, Ranked, only, overview, ranking
from usage.unusual.shown import Note, Unusual, unusual_in

# The overview shows the first few; the ranking page has them all.
TOP = 5


@dataclass(frozen=True)
class MemberRow:
    """A line of the ranking: somebody, their figures, and the note of an unusual episode about them."""

    person: Person
    ranked: Ranked
    quota: LevelState | None  # None: a former member
    note: Note | None = None


@dataclass(frozen=True)
class Choice:
    """Something that may be filtered by."""

    value: str
    label: str
    is_on: bool


@dataclass(frozen=True)
class Filter:
    """A filter of the page: the parameter it sets, and what it may be set to."""

    name: str
    label: str
    choices: list[Choice]

    @property
    def value(self) -> str:
        """What it is set to, as its chip shows it: the first and how many more; "" when it is off."""
        on = [choice.label for choice in self.choices if choice.is_on]
        return on[0] + (f" + {len(on) - 1}" if len(on) > 1 else "") if on else ""


@dataclass(frozen=True)
class OverviewPage:
    """Everything of the overview but its charts."""

    query: UsageQuery
    overview: Overview
    models: list[Ranked]
    members: list[MemberRow]
    active_members: int
    filters: list[Filter]
    never_called: bool
    unusual: Unusual


@dataclass(frozen=True)
class RankingPage:
    """All members of a ranking."""

    query: UsageQuery
    members: list[MemberRow]
    filters: list[Filter]
    unusual: Unusual


def overview_page(query: UsageQuery, access: Access, now: datetime) -> OverviewPage:
    """The overview of a team, or for a member of their own part of it."""
    single = SingleCalls((Dimension.MODEL, Dimension.MEMBER))
    shown = overview(query, single)
    # All models, also those that are filtered out: one question for the table and for what can be chosen.
    models = ranking(replace(query, models=()), Dimension.MODEL, single)
    ranked = ranking(query, Dimension.MEMBER, single) if access.sees_team else []
    people = people_of(access.team, also=[row.key for row in ranked]) if access.sees_team else {}
    unusual = unusual_in(query, sees_team=access.sees_team, now=now)
    rows = _member_rows(query, ranked, people, unusual, now, TOP)
    return OverviewPage(
        query=query,
        overview=shown,
        models=[row for row in only(models, query.models) if row.figures.calls],
        members=rows,
        active_members=sum(row.figures.calls > 0 for row in ranked),
        filters=_filters(query, access, people, models),
        never_called=shown.is_empty and not _was_called(query),
        unusual=unusual,
    )


def ranking_page(query: UsageQuery, access: Access, now: datetime) -> RankingPage:
    """Every member with calls in the period, and those without."""
    ranked = ranking(query, Dimension.MEMBER)
    people = people_of(access.team, also=[row.key for row in ranked])
    unusual = unusual_in(query, sees_team=True, now=now)
    rows = _member_rows(query, ranked, people, unusual, now, len(ranked))
    models = ranking(replace(query, models=(), previous=None), Dimension.MODEL)
    return RankingPage(query, rows, _filters(query, access, people, models), unusual)


def _member_rows(
    query: UsageQuery,
    ranked: Sequence[Ranked],
    people: dict[int, Person],
    unusual: Unusual,
    now: datetime,
    most: int,
) -> list[MemberRow]:
    """The first `most` lines of the ranking, with the quota of those who still are members."""
    shown = [(people[row.key], row) for row in ranked if row.key in people][:most]
    members = [person.id for person, _row in shown if not person.is_former]
    quotas = member_levels(query.team, query.mode, members, now) if members else {}
    notes = unusual.members
    return [MemberRow(person, row, quotas.get(person.id), notes.get(person.public_id)) for person, row in shown]


def _was_called(query: UsageQuery) -> bool:
    """Whether the team (or the member who asks) has any calls at all, whenever."""
    own = {"level": Level.MEMBER, "subject_id__in": query.members} if query.members else {"level": Level.TEAM}
    return QuotaUse.objects.filter(team_id=query.team.pk, mode=query.mode, **own).exists()


def _filters(
    query: UsageQuery, access: Access, people: dict[int, Person], models: Sequence[Ranked]
) -> list[Filter]:
    """What the page can be filtered by. Members see no other members, so they cannot choose among them."""
    names = dict.fromkeys([*(row.key for row in models), *query.models])
    tokens = tokens_of(access.team, None if access.sees_team else access.user)
    filters = [
        Filter("model", _("Model"), [Choice(name, name, name in query.models) for name in names]),
        Filter(
            "token",
            _("Token"),
            [
                Choice(token.public_id, _token_label(token, access), token.pk in query.tokens)
                for token in tokens.values()
            ],
        ),
    ]
    if access.sees_team:
        members = [
            Choice(person.public_id, person.label, person.id in query.members) for person in people.values()
        ]
        filters.insert(0, Filter("member", _("Member"), members))
    return filters


def _token_label(token: Token, access: Access) -> str:
    return f"{token.name} ({token.user.label})" if access.sees_team else token.name
