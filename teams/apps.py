from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Who: users, teams, memberships, invitations, transfers, tokens, gateway keys, activity."""

    name = "teams"
