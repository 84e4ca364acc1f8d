"""Registers the periodic jobs of `usage`: alerts and mail. `config.jobs` runs them."""

from datetime import timedelta

from config.jobs import register_job
from usage.alerts.anomalies import alert_anomalies
from usage.alerts.digest import send_digests
from usage.alerts.keys import alert_failing_keys
from usage.alerts.outbox import send_due
from usage.alerts.quotas import alert_quotas
from usage.alerts.refusals import alert_refusals


def register_jobs() -> None:
    """Registers the jobs in the order in which they run if several are due.

    The last one sends the messages that the others have created.
    """
    register_job("alert-quotas", timedelta(seconds=30), alert_quotas)
    register_job("alert-refusals", timedelta(seconds=30), alert_refusals)
    register_job("alert-keys", timedelta(minutes=1), alert_failing_keys)
    register_job("alert-unusual", timedelta(minutes=5), alert_anomalies)
    register_job("digests", timedelta(minutes=10), send_digests)
    register_job("send-messages", timedelta(seconds=10), send_due)
