from django.apps import AppConfig


class UsageConfig(AppConfig):
    """The app for how much is used: rollups, quotas, prices, statistics, ranking, anomalies, alerts and charts."""

    name = "usage"

    def ready(self) -> None:
        """Connects the signal receivers and registers the periodic jobs."""
        from usage import receivers  # noqa: F401  # connects them
        from usage.jobs import register_jobs

        register_jobs()
