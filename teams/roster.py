"""The members of a team as their page shows them."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from teams.access import Access, may_change_role, may_manage
from teams.models import Membership, Role, Token, User

PAGE = 50


@dataclass(frozen=True)
class RosterRow:
    """One member, and what the reader may do with them; `is_confirmed`: their address is known to be theirs."""

    user: User
    is_confirmed: bool
    role: str
    joined_at: datetime
    tokens: int
    may_promote: bool
    may_demote: bool
    may_remove: bool


@dataclass(frozen=True)
class Roster:
    """One page of the members found; `total` in the team."""

    rows: list[RosterRow]
    paged: Page[Membership]
    total: int


def roster(access: Access, search: str = "", role: str = "", page: int = 1) -> Roster:
    """Members by role, then name, a page of PAGE; `search` looks in names and addresses."""
    everybody = Membership.objects.filter(team=access.team)
    members = everybody.filter(role=role) if role else everybody
    if search:
        members = members.filter(Q(user__name__icontains=search) | Q(user__email__icontains=search))
    paged = Paginator(_with_tokens(members), PAGE).get_page(page)
    return Roster([_row(access, member) for member in paged], paged, everybody.count())


def _with_tokens(members: QuerySet[Membership]) -> QuerySet[Membership]:
    of_member = Token.objects.filter(team=OuterRef("team"), user=OuterRef("user")).order_by().values("user")
    rank = Case(
        When(role=Role.OWNER, then=Value(0)),
        When(role=Role.ADMINISTRATOR, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return (
        members.select_related("user")
        .annotate(
            token_count=Coalesce(
                Subquery(of_member.filter(revoked_at=None).annotate(n=Count("pk")).values("n")), 0
            ),
            is_confirmed=address_is_confirmed("user", "user__email"),
        )
        .order_by(rank, "user__name", "user__email")
    )


def _row(access: Access, member: Membership) -> RosterRow:
    return RosterRow(
        user=member.user,
        is_confirmed=member.is_confirmed,  # type: ignore[attr-defined]
        role=member.role,
        joined_at=member.joined_at,
        tokens=member.token_count,  # type: ignore[attr-defined]
        may_promote=member.role == Role.MEMBER
        and may_change_role(access.role, member.role, Role.ADMINISTRATOR),
        may_demote=member.role == Role.ADMINISTRATOR and may_change_role(access.role, member.role, Role.MEMBER),
        may_remove=may_manage(access.role, member.role),
    )


def address_is_confirmed(user: str, email: str) -> Exists:
    """Whether the address that somebody signs in with is confirmed; the fields of the outer query are named."""
    return Exists(
        EmailAddress.objects.filter(user=OuterRef(user), email__iexact=OuterRef(email), verified=True)
    )
