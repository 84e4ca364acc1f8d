from django.apps import AppConfig


class UsageConfig(AppConfig):
    """How much: rollups, quotas, prices, statistics, ranking, anomalies, alerts, charts."""

    name = "usage"

    def ready(self) -> None:
        """Connects the receivers of signals and registers the jobs."""
        from usage import receivers  # noqa: F401  # connects them
        from usage.jobs import register_jobs

        register_jobs()
