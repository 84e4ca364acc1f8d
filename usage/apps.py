from django.apps import AppConfig


class UsageConfig(AppConfig):
    """How much: rollups, quotas, prices, statistics, ranking, the unusual, alerts, charts."""

    name = "usage"

    def ready(self) -> None:
        """Listens to what happens in `teams`; looks for alerts."""
        from usage import receivers  # noqa: F401  # connects them
        from usage.jobs import register_jobs

        register_jobs()
