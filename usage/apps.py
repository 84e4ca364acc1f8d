from django.apps import AppConfig


class UsageConfig(AppConfig):
    """How much: rollups, quotas, prices, statistics, ranking, the unusual, alerts, charts."""

    name = "usage"
