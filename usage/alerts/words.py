"""Builds the texts and links of alerts about quotas: for webhooks and for mails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Min
from django.urls import reverse
from django.utils.translation import gettext as _

from config.formatting import money
from teams.mails import Mail, link
from teams.models import Team, User
from usage.alerts.models import Event
from usage.alerts.outbox import Alert
from usage.prices.money import usd_string
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period, QuotaUse
from usage.quotas.runout import pace_sentence, reset_sentence, run_out
from usage.rollups.buckets import day_start
from usage.rollups.links import logs_path

if TYPE_CHECKING:
    from usage.alerts.quotas import Limited, Reached


def quota_alert(limited: Limited, one: Reached, per_day_nanos: int, now: datetime) -> Alert:
    """Returns the alert that a quota reached a threshold, worded for readers other than the quota's holder.

    `per_day_nanos` is the present use per day in nano-dollars, from which the text estimates how long the quota
    lasts.
    """
    state = one.state
    summary = _summary(one, _whose(limited))
    level = Level(limited.key.level)
    return Alert(
        event=Event.QUOTA,
        summary=summary,
        text=" ".join([f"{summary}.", *_sentences(state, per_day_nanos, now)]),
        url=link(_calls_of(limited, state, now)),
        data={
            "level": level.name.lower(),
            "id": limited.public_id,
            "name": limited.name,
            "threshold_percent": one.threshold,
            "used_usd": usd_string(state.used_nanos),
            "limit_usd": usd_string(state.limit_nanos or 0),
            "period": state.period.value,
            "period_starts_at": _iso(state.starts_at),
            "resets_at": _iso(state.resets_at),
        },
    )


def quota_mail(
    limited: Limited, one: Reached, alert: Alert, per_day_nanos: int, to: User, now: datetime
) -> Mail:
    """Returns the mail that a quota reached a threshold; the mail to the quota's holder says "your quota"."""
    is_own = to == limited.holder
    return Mail(
        to=to.email,
        subject=_summary(one, _own(limited)) if is_own else alert.summary,
        paragraphs=tuple(_sentences(one.state, per_day_nanos, now)),
        action=_("View your usage") if limited.key.level == Level.OWNER else _("View the calls"),
        url=alert.url,
        note=why_note(limited.team),
    )


def why_note(team: Team) -> str:
    """Returns the note at the end of an alert mail: on which page to choose which mails one gets."""
    page = link(reverse("usage:alerts", args=[team.slug]))
    return _("Choose which mails you get at %(page)s.") % {"page": page}


def _summary(one: Reached, whose: str) -> str:
    return _("%(percent)d%% of %(whose)s is used") % {"percent": one.threshold, "whose": whose}


def _whose(limited: Limited) -> str:
    words = {"name": limited.name, "team": limited.team.name}
    return {
        Level.TOKEN: _("the quota of the token %(name)s in %(team)s"),
        Level.MEMBER: _("the quota of %(name)s in %(team)s"),
        Level.TEAM: _("the quota of the team %(team)s"),
        Level.OWNER: _("the balance of %(name)s"),
    }[Level(limited.key.level)] % words


def _own(limited: Limited) -> str:
    words = {"name": limited.name, "team": limited.team.name}
    return {
        Level.TOKEN: _("the quota of your token %(name)s in %(team)s"),
        Level.MEMBER: _("your quota in %(team)s"),
        Level.OWNER: _("your balance"),
    }[Level(limited.key.level)] % words


def _sentences(state: LevelState, per_day_nanos: int, now: datetime) -> list[str]:
    """Returns sentences about how much is used, when the quota resets and how long it will last, if known."""
    amounts = {"used": money(state.used_nanos), "limit": money(state.limit_nanos)}
    used = {
        Period.NONE: _("%(used)s of %(limit)s used."),
        Period.DAY: _("%(used)s of %(limit)s used today."),
        Period.WEEK: _("%(used)s of %(limit)s used this week."),
        Period.MONTH: _("%(used)s of %(limit)s used this month."),
    }[state.period] % amounts
    out = run_out(state, per_day_nanos, now)
    return [used, reset_sentence(state, now), *([pace_sentence(out)] if out else [])]


def _calls_of(limited: Limited, state: LevelState, now: datetime) -> str:
    """Returns the link to the calls that were charged to the quota in its period.

    For an owner's balance, from which several teams are charged, it is the personal page.
    """
    level = Level(limited.key.level)
    if level is Level.OWNER:
        return reverse("usage:me")
    filters = {level.name.lower(): limited.public_id} if limited.public_id else {}
    return logs_path(limited.team, state.starts_at or _first_use(limited, state), _just_after(now), filters)


def _first_use(limited: Limited, state: LevelState) -> datetime:
    """Returns the start of the first day on which anything was charged to the quota."""
    first = QuotaUse.objects.filter(**limited.key._asdict()).aggregate(day=Min("day"))["day"]
    return day_start(first, state.zone) if first else limited.team.created_at


def _just_after(now: datetime) -> datetime:
    """Returns the next full second after `now`; a time range that ends there includes the latest call."""
    return now.replace(microsecond=0) + timedelta(seconds=1)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
