from datetime import timedelta

from django.apps import AppConfig


class LogsConfig(AppConfig):
    """What happened: calls, and how they are recorded, searched, exported and deleted."""

    name = "logs"

    def ready(self) -> None:
        """Registers the sources of single calls for `usage`, the receivers of signals, and the daily
        housekeeping.
        """
        from config.jobs import register_job
        from logs import receivers  # noqa: F401
        from logs.integrity.housekeeping import run_all_housekeeping
        from logs.search.single_calls import count_by_token, count_calls, kept_sql
        from usage.anomalies.details import register_call_source
        from usage.rollups.reader import register_raw_source
        from usage.rollups.resolution import register_kept_source

        register_raw_source(count_calls)
        register_kept_source(kept_sql)
        register_call_source(count_by_token)
        register_job("housekeeping", timedelta(days=1), run_all_housekeeping)
