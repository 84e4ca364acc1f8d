from django.apps import AppConfig


class UsageConfig(AppConfig):
    """How much: rollups, quotas, prices, statistics, ranking, the unusual, alerts, charts."""

    name = "usage"

    def ready(self) -> None:
        """Listens to what happens in `teams`."""
        from usage import receivers  # noqa: F401  # connects them
