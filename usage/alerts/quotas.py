"""Alerts when a quota reaches a threshold: one alert for each period, quota, threshold and limit.

If several thresholds were passed since the last run, only the highest is sent. After a limit was raised, alerts
are sent again, because the same percentage of a higher limit is a new event; after it was lowered, they are
not. Only used amounts count, not reserved ones, and only live mode, where costs are real.

Storing a call does no work for alerts. Instead all quotas are checked every half minute, hundreds in one SQL
statement.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from teams.actions.locks import lock_teams
from teams.models import Mode, Team, User, key_is_unrevoked, team_is_alive
from usage.alerts.models import DEFAULT_THRESHOLDS, AlertPolicy, Event, ThresholdAlert
from usage.alerts.outbox import queue_for_webhooks, queue_mails, webhooks_for
from usage.alerts.readers import concerned, subscribers
from usage.alerts.words import quota_alert, quota_mail
from usage.quotas.levels import LevelKey, LevelState, states_of
from usage.quotas.models import Level, Quota
from usage.quotas.runout import paces
from usage.rollups.buckets import day_of

# How many quotas one SQL statement checks; it has eight parameters for each.
_CHUNK = 500


@dataclass(frozen=True)
class Limited:
    """The names for an alert about a quota: its team, and the token, member or owner whose quota it is.

    `holder` is the user who is concerned; None for the quota of a team. `name` is the name of the token, person
    or team.
    """

    team: Team  # for the balance of an owner, their personal space
    key: LevelKey
    holder: User | None
    name: str
    public_id: str  # of the token or the member; "" for a team or an owner


@dataclass(frozen=True)
class Standing:
    """A quota of an active team and token, with only the columns that are needed to check all quotas."""

    quota_id: int
    key: LevelKey
    zone: ZoneInfo


@dataclass(frozen=True)
class Reached:
    """A quota whose use is at or above a threshold (in percent), with its state at that moment."""

    quota_id: int
    key: LevelKey
    state: LevelState
    threshold: int

    @property
    def first_day(self) -> date:
        """The first day of the quota's period on the team's calendar; date.min if the period never resets."""
        return day_of(self.state.starts_at, self.state.zone) if self.state.starts_at else date.min


def alert_quotas(*, now: datetime) -> int:
    """Queues an alert for every quota that reached a threshold since the last run; returns their number.

    Messages are only queued; `usage.alerts.outbox.send_due` sends them. Meant to run every minute or so;
    parallel runs send one alert. Without a mail server only teams with a webhook are checked; alerts of the
    others wait until mail can be sent.
    """
    quotas = _standing(None if settings.HAS_MAIL else webhooks_for(Event.QUOTA).keys())
    told = 0
    while some := list(islice(quotas, _CHUNK)):
        told += sum(_tell(one, now) for one in _not_alerted(_reached(some, now)))
    return told


def _standing(teams: Collection[int] | None) -> Iterator[Standing]:
    """Yields the quotas to check, of these teams or (None) of all teams."""
    quotas = Quota.objects.filter(Q(token=None) | key_is_unrevoked("token"), team_is_alive())
    if teams is not None:
        quotas = quotas.filter(team__in=teams)
    columns = ("pk", "team_id", "team__time_zone", "team__is_personal", "membership__user_id", "token_id")
    for quota_id, team_id, zone, is_personal, user_id, token_id in (
        quotas.order_by("team", "pk").values_list(*columns).iterator(_CHUNK)
    ):
        if token_id:
            level, subject_id = Level.TOKEN, token_id
        elif user_id:
            level, subject_id = Level.MEMBER, user_id
        else:
            level, subject_id = Level.OWNER if is_personal else Level.TEAM, 0
        yield Standing(quota_id, LevelKey(team_id, Mode.LIVE, level.value, subject_id), ZoneInfo(zone))


def _reached(some: Sequence[Standing], now: datetime) -> list[Reached]:
    """Returns the quotas that reached a threshold, each with the highest threshold that it reached."""
    zones = {one.key.team_id: one.zone for one in some}
    states = states_of((one.key for one in some), zones, now)
    policies = dict(AlertPolicy.objects.filter(team__in=zones).values_list("team", "thresholds"))
    found = []
    for one in some:
        state = states[one.key]
        thresholds = policies.get(one.key.team_id, DEFAULT_THRESHOLDS)
        passed = [percent for percent in thresholds if is_reached(state, percent)]
        if passed:
            found.append(Reached(one.quota_id, one.key, state, max(passed)))
    return found


def is_reached(state: LevelState, percent: int) -> bool:
    """Whether at least `percent` of the limit is used, computed in exact integers.

    A limit of 0 is reached by the first charged call.
    """
    used, limit = state.used_nanos, state.limit_nanos
    return limit is not None and used > 0 and used * 100 >= limit * percent


def _not_alerted(reached: Sequence[Reached]) -> list[Reached]:
    """Returns the quotas for which an alert must be sent.

    An alert that was sent in the same period for the same or a higher threshold, under the same or a higher
    limit, is not repeated.
    """
    teams = {one.key.team_id for one in reached}
    days = {one.first_day for one in reached}
    told: dict[tuple[object, ...], list[ThresholdAlert]] = {}
    for row in ThresholdAlert.objects.filter(team__in=teams, first_day__in=days):
        place = (row.team_id, row.level, row.subject_id, row.period, row.first_day)
        told.setdefault(place, []).append(row)
    return [one for one in reached if not _covers(told.get(_place(one), ()), one)]


def _place(one: Reached) -> tuple[object, ...]:
    key = one.key
    return (key.team_id, key.level, key.subject_id, one.state.period.value, one.first_day)


def _covers(rows: Iterable[ThresholdAlert], one: Reached) -> bool:
    limit = one.state.limit_nanos or 0
    return any(row.threshold >= one.threshold and row.limit_nanos >= limit for row in rows)


@transaction.atomic
def _tell(one: Reached, now: datetime) -> bool:
    """Records the alert and queues its messages, while the team is locked.

    Returns False if another process has done so already, or if the quota was removed.
    """
    lock_teams([one.key.team_id])
    limited = _limited(one)
    if limited is None or not _not_alerted([one]):
        return False
    team = limited.team
    ThresholdAlert.objects.create(
        team=team,
        level=one.key.level,
        subject_id=one.key.subject_id,
        period=one.state.period,
        first_day=one.first_day,
        limit_nanos=one.state.limit_nanos or 0,
        threshold=one.threshold,
        alerted_at=now,
    )
    (pace,) = paces([one.state], Mode.LIVE, now)
    alert = quota_alert(limited, one, pace, now)
    queue_for_webhooks(team, alert, webhooks_for(Event.QUOTA, [team.pk]).get(team.pk, ()), now)
    readers = [*concerned(team, limited.holder), *subscribers("wants_quotas", [team.pk]).get(team.pk, ())]
    mails = [quota_mail(limited, one, alert, pace, user, now) for user in dict.fromkeys(readers)]
    queue_mails(team, Event.QUOTA, mails, now)
    return True


def _limited(one: Reached) -> Limited | None:
    """Reads the names for an alert about a quota; None if the quota was removed meanwhile."""
    named = Quota.objects.select_related("team__owner", "membership__user", "token__user")
    quota = named.filter(pk=one.quota_id).first()
    if quota is None:
        return None
    team = quota.team
    if quota.token:
        return Limited(team, one.key, quota.token.user, quota.token.name, quota.token.public_id)
    if quota.membership:
        user = quota.membership.user
        return Limited(team, one.key, user, user.label, user.public_id)
    if team.is_personal:
        return Limited(team, one.key, team.owner, team.owner.label, "")
    return Limited(team, one.key, None, team.name, "")
