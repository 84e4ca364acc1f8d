"""Looks up the users and tokens whose ids rollups and other records contain, in one small query for each kind."""

import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower

from teams.compiled_queries import CompiledQuery
from teams.models import Membership, Team, Token, User, team_is_alive
from usage.quotas.models import Level, QuotaUse, Refusal
from usage.rollups.models import DayMember


@dataclass(frozen=True)
class Person:
    """A member of a team, or somebody who made calls in it. `role` is "" for a former member."""

    id: int
    public_id: str
    name: str
    email: str
    role: str

    @property
    def label(self) -> str:
        return self.name or self.email

    @property
    def is_former(self) -> bool:
        return not self.role


@dataclass(frozen=True)
class NamedToken:
    """A token with its name and holder, for tables and filters."""

    id: int
    public_id: str
    name: str
    user_id: int
    holder: str


def people_of(team: Team, also: Iterable[int] = ()) -> dict[int, Person]:
    """Returns the members of a team, sorted by name, then the former members with the ids `also`. Keys are user
    ids.

    Runs at most two SQL statements. A single one would make the database scan all users of the site.
    """
    members = Membership.objects.filter(team=team).order_by("user__name", "user__email")
    rows = members.values_list("user", "user__public_id", "user__name", "user__email", "role")
    people = {row[0]: Person(*row) for row in rows}
    return people | people_with(team, set(also) - people.keys())


def people_with(team: Team, ids: Iterable[int]) -> dict[int, Person]:
    """Returns the users with these ids, with their role in the team ("" for former members), by user id."""
    wanted = list(ids)
    if not wanted:
        return {}
    role = Membership.objects.filter(team=team, user=OuterRef("pk")).values("role")
    found = User.objects.annotate(role=Coalesce(Subquery(role), Value(""))).filter(pk__in=wanted)
    # `values_list`, because creating hundreds of model instances would take longer than the query.
    rows = found.order_by("name", "email").values_list("pk", "public_id", "name", "email", "role")
    return {row[0]: Person(*row) for row in rows}


def last_call_days(team: Team, mode: int, user_ids: Sequence[int]) -> dict[int, date]:
    """Returns the date of each user's last call, by user id. Users without calls are left out.

    Dates are in the team's time zone.
    """
    theirs = DayMember.objects.filter(team_id=team.pk, mode=mode, member_id__in=user_ids, calls__gt=0)
    return dict(theirs.values_list("member_id").annotate(Max("day")).order_by())


def people_named(team: Team, names: Sequence[str]) -> dict[str, int]:
    """Returns user ids by name. A name is a public id or an email address.

    Only finds users who are members of the team or have made calls in it, not other users of the site.
    """
    called = QuotaUse.objects.filter(team_id=team.pk, level=Level.MEMBER, subject_id=OuterRef("pk"))
    joined = Membership.objects.filter(team=team, user=OuterRef("pk"))
    # Compares lower-case addresses, so that the unique index on them is used.
    named = Q(public_id__in=names) | Q(address__in=[_compared(name) for name in names])
    known = User.objects.alias(address=Lower("email"))
    return ids_named(known.filter(named, Exists(joined) | Exists(called)), names)


def ids_named(users: Iterable[User], names: Iterable[str]) -> dict[str, int]:
    """Returns the ids of the users that have one of the names (public id or email address), by name.

    The case of addresses is ignored.
    """
    known = {name: user.pk for user in users for name in (user.public_id, _compared(user.email))}
    return {name: known[_compared(name)] for name in names if _compared(name) in known}


def _compared(name: str) -> str:
    """Returns an address in lower case, and a public id unchanged."""
    return name.lower() if "@" in name else name


def people_refused(team: Team, names: Sequence[str]) -> dict[str, int]:
    """Does the same as `people_named`, and also finds users by public id whose member limit has refused a
    reservation.
    """
    refused = Refusal.objects.filter(team_id=team.pk, level=Level.MEMBER, subject_id=OuterRef("pk"))
    found = User.objects.filter(Exists(refused), public_id__in=names)
    return people_named(team, names) | {user.public_id: user.pk for user in found}


# The value in filters for calls that a gateway reported for a member without a token; their token id is 0.
NO_TOKEN = "none"  # noqa: S105  # a word, no secret


def tokens_named(team: Team, public_ids: Sequence[str], holder: User | None = None) -> dict[str, int]:
    """Returns token ids by public id, for tokens of the team or, with `holder`, of that user in it.

    NO_TOKEN gives the id 0, which stands for calls without a token.
    """
    found = Token.objects.filter(team=team, public_id__in=public_ids)
    found = found.filter(user=holder) if holder else found
    return dict(found.values_list("public_id", "pk")) | {name: 0 for name in public_ids if name == NO_TOKEN}


def tokens_with(team: Team, ids: Collection[int], of_members: Collection[int] = ()) -> dict[int, NamedToken]:
    """Returns the tokens of a team that have these ids or belong to `of_members`, by token id, including
    revoked ones.
    """
    if not (ids or of_members):
        return {}
    found = Token.objects.filter(Q(pk__in=ids) | Q(user__in=of_members), team=team)
    rows = found.values_list("pk", "public_id", "name", "user", "user__name", "user__email")
    return {row[0]: NamedToken(*row[:4], row[4] or row[5]) for row in rows}


def own_tokens(user: User) -> list[Token]:
    """Returns a user's tokens in all teams that they are a member of, the last used first.

    Revoked tokens are included, because they can have calls.
    """
    return _own_tokens().all(user.pk)


@functools.cache
def _own_tokens() -> CompiledQuery:
    def made(user_id: int) -> QuerySet[Token]:
        found = Token.objects.filter(team_is_alive(), user=user_id, team__memberships__user=user_id)
        return found.order_by(F("last_used_at").desc(nulls_last=True), "-created_at")

    return CompiledQuery(made, [-1], [("team", Team)])
