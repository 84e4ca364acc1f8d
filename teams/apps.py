from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TeamsConfig(AppConfig):
    """Who: users, teams, memberships, invitations, transfers, tokens, gateway keys, activity."""

    name = "teams"

    def ready(self) -> None:
        from teams.support import refresh_support_group

        post_migrate.connect(refresh_support_group)
        import teams.account_activity  # noqa: F401  # connects its receivers
