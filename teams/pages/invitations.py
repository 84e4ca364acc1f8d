"""Builds the list of invitations for the invitations page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator

from teams.access import Access
from teams.filters.invitations import InvitationFilterSet
from teams.models import Invitation

PAGE = 50


@dataclass(frozen=True)
class InvitationRow:
    """One invitation, with its state when the list was read."""

    invitation: Invitation
    state: str

    @property
    def is_open(self) -> bool:
        """Whether the invitation can be sent again or revoked, because it is pending or expired."""
        return self.state in {"pending", "expired"}


@dataclass(frozen=True)
class InvitationList:
    """One page of the invitations that match the filters."""

    rows: list[InvitationRow]
    paged: Page[Invitation]


def invitation_filters(access: Access, parameters: Any, now: datetime) -> InvitationFilterSet:
    """Returns the filters of the team's invitations, with the values from the parameters of the URL."""
    invitations = Invitation.objects.filter(team=access.team).select_related("invited_by")
    return InvitationFilterSet(parameters, invitations.order_by("-sent_at", "-pk"), now=now)


def list_invitations(filters: InvitationFilterSet, now: datetime) -> InvitationList:
    """Returns one page of the invitations that match the filters, newest first."""
    paged = Paginator(filters.found, PAGE).get_page(filters.number())
    return InvitationList([InvitationRow(one, one.state(now)) for one in paged], paged)
