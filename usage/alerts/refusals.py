"""Alerts about calls that were refused for quota.

The first refusal by a quota is sent immediately; later ones are collected into at most one alert an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from teams.actions.locks import lock_teams
from teams.mails import Mail, link
from teams.models import Mode, Team, User
from usage.alerts.models import Event, RefusalAlert, Webhook
from usage.alerts.outbox import Alert, queue_for_webhooks, queue_mails, webhooks_for
from usage.alerts.readers import subscribers
from usage.alerts.words import why_note
from usage.quotas.models import Level, Refusal
from usage.quotas.refusals import NamedRefused, Refused, named

EVERY = timedelta(hours=1)
# Refusals of older hours are not sent, for example to somebody who subscribes now, or after an outage.
_NEWS = timedelta(hours=2)


@dataclass(frozen=True)
class _News:
    """Refusals by one quota for which no alert was sent yet, in whole hours as on the page of refusals.

    `in_last_hour` is their number in the last of these hours.
    """

    refused: Refused
    in_last_hour: int


def alert_refusals(*, now: datetime) -> int:
    """Queues alerts about refused live calls for teams with subscribers.

    Returns the number of quotas concerned. Messages are only queued; `usage.alerts.outbox.send_due` sends them.
    Meant to run every minute or so; parallel runs queue one alert.
    """
    readers, webhooks = subscribers("wants_refusals"), webhooks_for(Event.REFUSED)
    asked = readers.keys() | webhooks.keys()
    recent = Refusal.objects.filter(team_id__in=asked, mode=Mode.LIVE, hour__gte=now - _NEWS)
    teams = Team.objects.filter(pk__in=set(recent.values_list("team_id", flat=True)))
    return sum(_alert_team(team, readers.get(team.pk, ()), webhooks.get(team.pk, ()), now) for team in teams)


@transaction.atomic
def _alert_team(team: Team, readers: Sequence[User], webhooks: Sequence[Webhook], now: datetime) -> int:
    """Queues the alerts of one team; returns the number of quotas concerned.

    It locks the team, so that two processes send only one alert and no refusal is counted meanwhile.
    """
    lock_teams([team.pk])
    found = _news(team, now)
    for news, one in zip(found, named(team, [news.refused for news in found]), strict=True):
        _keep(team, news, now)
        alert = _alert(team, one, now)
        queue_for_webhooks(team, alert, webhooks, now)
        queue_mails(team, Event.REFUSED, [_mail(team, alert, user) for user in readers], now)
    return len(found)


def _news(team: Team, now: datetime) -> list[_News]:
    """Returns the refusals to send, by quota.

    Quotas about which an alert was sent within the last hour are left out.
    """
    told = {(row.level, row.subject_id): row for row in RefusalAlert.objects.filter(team=team)}
    recent = Refusal.objects.filter(team_id=team.pk, mode=Mode.LIVE, hour__gte=now - _NEWS).order_by("hour")
    rows: dict[tuple[int, int], list[Refusal]] = {}
    for row in recent:
        rows.setdefault((row.level, row.subject_id), []).append(row)
    found = (_since(told.get(key), of_level, now) for key, of_level in rows.items())
    return [news for news in found if news]


def _since(told: RefusalAlert | None, rows: Sequence[Refusal], now: datetime) -> _News | None:
    """Returns one quota's refusals since its last alert.

    None if there are none, or if the last alert is less than an hour old.
    """
    if told and told.alerted_at > now - EVERY:
        return None
    fresh = [row for row in rows if told is None or row.hour > told.hour or _is_more(row, told)]
    if not fresh:
        return None
    last = rows[-1]
    refused = Refused(
        last.team_id,
        Level(last.level),
        last.subject_id,
        sum(row.refused for row in fresh),
        fresh[0].hour,
        last.hour,
    )
    return _News(refused, last.refused)


def _is_more(row: Refusal, told: RefusalAlert) -> bool:
    """Whether calls were refused in the hour of the last alert after that alert was sent."""
    return row.hour == told.hour and row.refused > told.refused


def _keep(team: Team, news: _News, now: datetime) -> None:
    """Records up to which hour and number of refusals alerts were sent."""
    one = news.refused
    RefusalAlert.objects.update_or_create(
        {"hour": one.last_hour, "refused": news.in_last_hour, "alerted_at": now},
        team=team,
        level=one.level,
        subject_id=one.subject_id,
    )


def _alert(team: Team, one: NamedRefused, now: datetime) -> Alert:
    told = _("%(team)s: %(sentence)s") % {"team": team.name, "sentence": one.sentence(team, now)}
    return Alert(
        event=Event.REFUSED,
        summary=told,
        text=f"{told}.",
        url=link(one.hours_path(team, Mode.LIVE) or reverse("usage:refusals", args=[team.slug])),
        data={
            "level": one.refused.level.name.lower(),
            "id": one.public_id,
            "name": one.name,
            "refused": one.refused.refused,
            "since": one.refused.since.isoformat(),
        },
    )


def _mail(team: Team, alert: Alert, to: User) -> Mail:
    """Returns the mail with the same content as the alert for webhooks."""
    quotas = link(reverse("usage:quotas", args=[team.slug]))
    return Mail(
        to=to.email,
        subject=alert.summary,
        paragraphs=(
            alert.text,
            _(
                "The calls were refused before they were made, so nothing was charged. You get at most one "
                "mail an hour."
            ),
            _("Change the limit at %(page)s.") % {"page": quotas},
        ),
        action=_("View the refusals"),
        url=alert.url,
        note=why_note(team),
    )
