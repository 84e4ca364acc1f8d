"""Alerts about anomalies: one alert for each episode, by mail and webhook, to those who subscribed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.locks import lock_teams
from teams.mails import Mail, link, moment
from teams.models import Mode, Team, User
from usage.alerts.models import Event, Webhook
from usage.alerts.outbox import Alert, queue_for_webhooks, queue_mails, webhooks_for
from usage.alerts.readers import subscribers
from usage.anomalies.episodes import Episode, calls_link, in_range
from usage.anomalies.find import find_anomalies
from usage.anomalies.models import EpisodeAlert
from usage.anomalies.shown import causes_sentence, expected_in, mark_of
from usage.rollups.query import Range

# Episodes that ended longer ago are not sent, for example to somebody who subscribes now.
NEWS = timedelta(hours=24)


def alert_anomalies(*, now: datetime) -> int:
    """Queues alerts about new episodes for all teams with subscribers; returns the number of episodes.

    Messages are only queued; `usage.alerts.outbox.send_due` sends them. Meant to run several times an hour.
    Only calls in live mode count.
    """
    readers, webhooks = subscribers("wants_alerts"), webhooks_for(Event.UNUSUAL)
    teams = Team.objects.filter(pk__in=readers.keys() | webhooks.keys()).order_by("pk")
    return sum(_alert_team(team, readers.get(team.pk, ()), webhooks.get(team.pk, ()), now) for team in teams)


def _alert_team(team: Team, readers: Sequence[User], webhooks: Sequence[Webhook], now: datetime) -> int:
    found = find_anomalies(team, Mode.LIVE, Range(now - NEWS, now), now)
    recent = in_range(found.episodes, Range(now - NEWS, now))
    if not recent or found.learning_until:
        return 0
    return _tell(team, recent, readers, webhooks, now)


@transaction.atomic
def _tell(
    team: Team,
    recent: Iterable[Episode],
    readers: Sequence[User],
    webhooks: Sequence[Webhook],
    now: datetime,
) -> int:
    """Queues the alerts about one team's new episodes; returns the number of episodes.

    It locks the team, so that two processes send only one alert.
    """
    lock_teams([team.pk])
    new = [episode for episode in recent if not _is_known(team, episode)]
    for episode in new:
        _keep(team, episode, now)
        queue_mails(team, Event.UNUSUAL, [episode_mail(team, episode, user) for user in readers], now)
        queue_for_webhooks(team, episode_alert(team, episode), webhooks, now)
    return len(new)


def _is_known(team: Team, episode: Episode) -> bool:
    """Whether an alert about the episode was sent already, or the episode is marked as expected."""
    marks = expected_in([team], Mode.LIVE, episode.whole)
    told = EpisodeAlert.objects.filter(
        team=team, mode=Mode.LIVE, starts_at__lt=episode.whole.end, ends_at__gt=episode.whole.start
    )
    return mark_of(episode, marks) is not None or mark_of(episode, told) is not None


def _keep(team: Team, episode: Episode, now: datetime) -> None:
    EpisodeAlert.objects.create(
        team=team,
        mode=Mode.LIVE,
        kind=episode.kind.value,
        member_id=episode.member_id or None,
        starts_at=episode.whole.start,
        ends_at=episode.whole.end,
        sentence=episode.sentence[:300],
        alerted_at=now,
    )


def episode_alert(team: Team, episode: Episode) -> Alert:
    """Returns the webhook message about an episode."""
    causes = causes_sentence(episode.causes, episode.spread)
    return Alert(
        event=Event.UNUSUAL,
        summary=_subject(team, episode),
        text=" ".join(filter(None, [_subject(team, episode), causes])),
        url=link(calls_link(team, Mode.LIVE, episode)),
        data={
            "kind": episode.kind.value,
            "sentence": episode.sentence,
            "start": episode.start.isoformat(),
            "end": episode.end.isoformat(),
            "causes": [
                {"dimension": cause.dimension, "key": cause.key, "label": cause.label, "share": cause.share}
                for cause in episode.causes
            ],
        },
    )


def _subject(team: Team, episode: Episode) -> str:
    return _("Anomaly in %(team)s: %(sentence)s") % {"team": team.name, "sentence": episode.sentence}


def episode_mail(team: Team, episode: Episode, to: User) -> Mail:
    """Returns the mail about an episode: what was unusual, what caused it, and a link to its calls."""
    return Mail(
        to=to.email,
        subject=_subject(team, episode),
        paragraphs=(
            episode.sentence,
            causes_sentence(episode.causes, episode.spread),
            _("It started at %(when)s.") % {"when": moment(episode.start, team)},
        ),
        action=_("View these calls"),
        url=link(calls_link(team, Mode.LIVE, episode)),
        note=_(
            "If this was expected, mark it as expected on the team's overview to stop notifications about it."
        ),
    )
