"""Telling of unusual episodes as they happen: once for each, to the owners and administrators who want it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import access_of
from teams.actions.locks import lock_teams
from teams.mails import Mail, link, moment, send_on_commit
from teams.models import Mode, Role, Team, User
from usage.models import ToldEpisode, UsageMail
from usage.query import Range
from usage.unusual.episodes import Episode, calls_link, in_range
from usage.unusual.find import find_unusual
from usage.unusual.shown import causes_sentence, expected_in, mark_of

# What ended longer ago is no news: nobody is told of it who only now asks to be told.
NEWS = timedelta(hours=24)


def alert_unusual(*, now: datetime) -> int:
    """Tells of what is new in all teams where somebody wants to know; how many episodes were told.

    To be called every hour, a few minutes after it ended. Live mode only.
    """
    wanted = UsageMail.objects.filter(wants_alerts=True, membership__team__deleted_at=None)
    readers: dict[Team, list[User]] = {}
    for one in wanted.select_related("membership__team", "membership__user").order_by("membership__team"):
        member = one.membership
        if member.role in {Role.OWNER, Role.ADMINISTRATOR} and access_of(member.user, member.team):
            readers.setdefault(member.team, []).append(member.user)
    return sum(_alert_team(team, users, now) for team, users in readers.items())


@transaction.atomic
def _alert_team(team: Team, readers: Sequence[User], now: datetime) -> int:
    """The lock makes two commands at once tell once."""
    found = find_unusual(team, Mode.LIVE, Range(now - NEWS, now), now)
    recent = in_range(found.episodes, Range(now - NEWS, now))
    if not recent or found.learning_until:
        return 0
    lock_teams([team.pk])
    new = [episode for episode in recent if not _is_known(team, episode)]
    for episode in new:
        _keep(team, episode, now)
        for user in readers:
            send_on_commit(episode_mail(team, episode, user))
    return len(new)


def _is_known(team: Team, episode: Episode) -> bool:
    """Whether somebody was told of it, or expects it."""
    marks = expected_in([team], Mode.LIVE, episode.whole)
    told = ToldEpisode.objects.filter(
        team=team, mode=Mode.LIVE, starts_at__lt=episode.whole.end, ends_at__gt=episode.whole.start
    )
    return mark_of(episode, marks) is not None or mark_of(episode, told) is not None


def _keep(team: Team, episode: Episode, now: datetime) -> None:
    ToldEpisode.objects.create(
        team=team,
        mode=Mode.LIVE,
        kind=episode.kind.value,
        member_id=episode.member_id or None,
        starts_at=episode.whole.start,
        ends_at=episode.whole.end,
        sentence=episode.sentence[:300],
        told_at=now,
    )


def episode_mail(team: Team, episode: Episode, to: User) -> Mail:
    """What was unusual, what drove it, and the way to its calls."""
    return Mail(
        to=to.email,
        subject=_("Unusual in %(team)s: %(sentence)s") % {"team": team.name, "sentence": episode.sentence},
        paragraphs=(
            episode.sentence,
            causes_sentence(episode.causes, episode.spread),
            _("It began at %(when)s.") % {"when": moment(episode.start, team)},
        ),
        action=_("See these calls"),
        url=link(calls_link(team, Mode.LIVE, episode)),
        note=_("If this was expected, say so on the overview of the team, and it stays quiet."),
    )
