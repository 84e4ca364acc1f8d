from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Who: users, teams, memberships, invitations, transfers, tokens, gateway keys, activity."""

    name = "teams"

    def ready(self) -> None:
        import teams.account_activity  # noqa: F401  # connects its receivers
