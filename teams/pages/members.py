"""Builds the list of members for the members page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from teams.access import Access, may_change_role, may_manage
from teams.email_addresses import address_is_confirmed
from teams.filters.members import MemberFilterSet
from teams.models import Membership, Role, Token, User

PAGE = 50


@dataclass(frozen=True)
class MemberRow:
    """One member, and what the user who views the page may do with them.

    `tokens` counts the member's tokens that are not revoked; `is_confirmed` says whether their e-mail address
    is verified.
    """

    user: User
    is_confirmed: bool
    role: str
    joined_at: datetime
    tokens: int
    may_promote: bool
    may_demote: bool
    may_remove: bool


@dataclass(frozen=True)
class MemberList:
    """One page of the members that match the filters; `total` counts all members of the team."""

    rows: list[MemberRow]
    paged: Page[Membership]
    total: int


def member_filters(access: Access, parameters: Any) -> MemberFilterSet:
    """Returns the filters of the team's members, with the values from the parameters of the URL."""
    return MemberFilterSet(parameters, _members(access))


def list_members(access: Access, filters: MemberFilterSet) -> MemberList:
    """Returns one page of the members that match the filters, ordered by role and name."""
    paged = Paginator(filters.found, PAGE).get_page(filters.number())
    total = Membership.objects.filter(team=access.team).count()
    return MemberList([_row(access, member) for member in paged], paged, total)


def _members(access: Access) -> QuerySet[Membership]:
    tokens = Token.objects.unrevoked().filter(team=OuterRef("team"), user=OuterRef("user"))
    count = tokens.order_by().values("user").annotate(n=Count("pk")).values("n")
    rank = Case(
        When(role=Role.OWNER, then=Value(0)),
        When(role=Role.ADMINISTRATOR, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return (
        Membership.objects.filter(team=access.team)
        .select_related("user")
        .annotate(
            token_count=Coalesce(Subquery(count), 0), is_confirmed=address_is_confirmed("user", "user__email")
        )
        .order_by(rank, "user__name", "user__email")
    )


def _row(access: Access, member: Membership) -> MemberRow:
    return MemberRow(
        user=member.user,
        is_confirmed=member.is_confirmed,  # type: ignore[attr-defined]  # the annotation
        role=member.role,
        joined_at=member.joined_at,
        tokens=member.token_count,  # type: ignore[attr-defined]  # the annotation
        may_promote=member.role == Role.MEMBER
        and may_change_role(access.role, member.role, Role.ADMINISTRATOR),
        may_demote=member.role == Role.ADMINISTRATOR and may_change_role(access.role, member.role, Role.MEMBER),
        may_remove=may_manage(access.role, member.role),
    )
