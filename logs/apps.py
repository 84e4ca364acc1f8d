from django.apps import AppConfig


class LogsConfig(AppConfig):
    """What happened: calls, how they are recorded, searched, exported and kept."""

    name = "logs"
