from datetime import timedelta

from django.apps import AppConfig


class LogsConfig(AppConfig):
    """The app of single calls: how they are recorded, searched, exported and deleted."""

    name = "logs"

    def ready(self) -> None:
        """Registers functions of `logs` with the apps that must not import `logs`.

        `usage` gets the functions that read single calls, and `config.jobs` the daily housekeeping. Importing
        `logs.receivers` connects the receivers of signals.
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
