"""All alerts, one after the other: what the command `send_alerts` does, and `serve` by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.jobs import last_run, note_run
from usage.alerts.anomalies import alert_unusual
from usage.alerts.outbox import send_due
from usage.alerts.quotas import alert_quotas
from usage.alerts.refusals import alert_refusals

# The job of the server and the command that look for quotas to be told, every minute or oftener.
_LOOKS = ("alert-quotas", "send-alerts")
_LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class Told:
    """How many of each were told, and how many messages their receivers took."""

    quotas: int
    refusals: int
    episodes: int
    delivered: int


def send_alerts(*, now: datetime) -> Told:
    """Looks for everything there is to tell, and sends what is due."""
    quotas, refusals = alert_quotas(now=now), alert_refusals(now=now)
    episodes = alert_unusual(now=now)
    told = Told(quotas, refusals, episodes, send_due(now=now))
    note_run("send-alerts", now=now)
    return told


@dataclass(frozen=True)
class Lateness:
    """That nobody has looked for alerts for long; `since` None: nobody ever did."""

    since: datetime | None


def lateness(now: datetime) -> Lateness | None:
    """Whether alerts are late. Told by what was done, not by settings: a server that is not `serve` runs no jobs,
    whatever they say."""
    since = last_run(_LOOKS)
    return Lateness(since) if since is None or now - since > _LATE else None
