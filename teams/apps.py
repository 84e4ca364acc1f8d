from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TeamsConfig(AppConfig):
    """The app for users, teams, memberships, invitations, transfers, tokens, gateway keys and activity."""

    name = "teams"

    def ready(self) -> None:
        # These modules need the models, which are loaded only now. The first two connect receivers of signals.
        import teams.account_activity
        import teams.actions.users  # noqa: F401
        from teams.support_group import refresh_support_group

        post_migrate.connect(refresh_support_group)
