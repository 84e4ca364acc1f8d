"""Finds who gets an alert by mail: subscribers who may see the team's usage, and the holder of a quota."""

from collections.abc import Collection

from django.conf import settings

from teams.access import Permission, access_of, roles_with
from teams.models import Team, User, team_is_alive
from usage.anomalies.models import UsageMail


def subscribers(wish: str, teams: Collection[int] | None = None) -> dict[int, list[User]]:
    """Returns the users who want one kind of mail, by team id: active owners and administrators only.

    `wish` is a field of UsageMail, such as `wants_alerts`. `teams` are team ids; None means all teams. Empty if
    no mail server is configured, because an alert that cannot be sent must not be recorded as sent.
    """
    if not settings.HAS_MAIL:
        return {}
    wanted = UsageMail.objects.filter(
        team_is_alive("membership__team"),
        membership__role__in=roles_with(Permission.SEE_TEAM),
        membership__user__is_active=True,
        **{wish: True},
    )
    if teams is not None:
        wanted = wanted.filter(membership__team__in=teams)
    found: dict[int, list[User]] = {}
    for one in wanted.select_related("membership__user").order_by("membership"):
        found.setdefault(one.membership.team_id, []).append(one.membership.user)
    return found


def concerned(team: Team, user: User | None) -> list[User]:
    """Returns the holder of a quota in a list; an empty list if they left the team or declined such mails.

    `user` None means that the quota has no single holder, which gives an empty list too.
    """
    if user is None or access_of(user, team) is None:
        return []
    declined = UsageMail.objects.filter(membership__team=team, membership__user=user, wants_own_quotas=False)
    return [] if declined.exists() else [user]
