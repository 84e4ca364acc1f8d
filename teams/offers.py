"""Offers of teams, as pages show them."""

from datetime import datetime

from django.db.models import QuerySet

from teams.models import Team, Transfer, User


def open_offer(team: Team, now: datetime) -> Transfer | None:
    """The offer of the team that can be accepted now."""
    return _open(team, now).first()


def offer_to(team: Team, user: User, now: datetime) -> Transfer | None:
    """The same, if it is to this user."""
    return _open(team, now).filter(successor=user).first()


def _open(team: Team, now: datetime) -> QuerySet[Transfer]:
    unended = Transfer.objects.filter(team=team, accepted_at=None, declined_at=None, cancelled_at=None)
    return unended.filter(expires_at__gt=now).select_related("successor", "offered_by")
