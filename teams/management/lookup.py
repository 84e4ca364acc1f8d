"""Helpers of commands: find rows by command arguments, and turn errors of actions into CommandError."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from teams.errors import ActionError
from teams.models import Team, User


def user_with(email: str) -> User:
    """Returns the user with this e-mail address, in upper or lower case.

    Raises CommandError if there is none.
    """
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"No user has the address {email}. Create one with `manage.py create_user {email}`.")
    return user


def team_at(slug: str) -> Team:
    """Returns the team with this slug. Raises CommandError if no team has it or the team is deleted."""
    team = Team.objects.alive().filter(slug=slug).first()
    if team is None:
        raise CommandError(f"No team has the slug {slug}.")
    return team


def expiry(days: int | None) -> datetime | None:
    """Returns the time `days` days from now, or None if `days` is None.

    Raises CommandError unless `days` is from 1 to 36,500.
    """
    if days is None:
        return None
    if not 1 <= days <= 36500:
        raise CommandError("--days must be from 1 to 36500.")
    return timezone.now() + timedelta(days=days)


@contextmanager
def command_errors() -> Iterator[None]:
    """Context manager that turns errors of actions into CommandError.

    The command then prints one line on standard error and exits with code 1.
    """
    try:
        yield
    except ActionError as error:
        raise CommandError(str(error)) from error
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
