"""All alerts, one after the other: what the command `send_alerts` does, and `serve` by itself."""

from dataclasses import dataclass
from datetime import datetime

from usage.alerts.outbox import send_due
from usage.alerts.quotas import alert_quotas
from usage.alerts.refusals import alert_refusals
from usage.unusual.alerts import alert_unusual


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
    return Told(quotas, refusals, episodes, send_due(now=now))
