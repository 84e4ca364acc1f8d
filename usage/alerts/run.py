"""Runs all kinds of alerts one after the other, for the command `send_alerts` and for the jobs of `serve`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.jobs import last_run, record_run
from usage.alerts.anomalies import alert_anomalies
from usage.alerts.keys import alert_failing_keys
from usage.alerts.outbox import send_due
from usage.alerts.quotas import alert_quotas
from usage.alerts.refusals import alert_refusals

# The names of the job and of the command that check quotas for alerts, every minute or more often.
_LOOKS = ("alert-quotas", "send-alerts")
_LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class QueuedAlerts:
    """The result of a run: how many alerts of each kind were queued, and how many messages were delivered."""

    quotas: int
    refusals: int
    episodes: int
    keys: int
    delivered: int


def send_alerts(*, now: datetime) -> QueuedAlerts:
    """Queues all alerts that are due, then sends the messages that are due."""
    quotas, refusals = alert_quotas(now=now), alert_refusals(now=now)
    episodes, keys = alert_anomalies(now=now), alert_failing_keys(now=now)
    queued = QueuedAlerts(quotas, refusals, episodes, keys, send_due(now=now))
    record_run("send-alerts", now=now)
    return queued


@dataclass(frozen=True)
class Lateness:
    """A warning that no job has looked for alerts in a long time; `since` is the last time, None if never."""

    since: datetime | None


def lateness(now: datetime) -> Lateness | None:
    """Returns a warning if no job has looked for alerts for 15 minutes; None if alerts are on time.

    It is judged by recorded runs, not by settings: a server other than `serve` runs no jobs, whatever the
    settings say.
    """
    since = last_run(_LOOKS)
    return Lateness(since) if since is None or now - since > _LATE else None
