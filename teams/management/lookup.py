"""What the commands of `teams` share: rows found by what people type, errors as commands tell them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from teams.errors import ActionError
from teams.models import Team, User


def user_with(email: str) -> User:
    """The user with this address, in any case. Raises CommandError."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"Nobody has the address {email}. Make them with `manage.py create_user {email}`.")
    return user


def team_at(slug: str) -> Team:
    """The living team at this address. Raises CommandError."""
    team = Team.objects.alive().filter(slug=slug).first()
    if team is None:
        raise CommandError(f"There is no team {slug}.")
    return team


def expiry(days: int | None) -> datetime | None:
    """The moment so many days from now; None, never. Raises CommandError for a number that makes no sense."""
    if days is None:
        return None
    if not 1 <= days <= 36500:
        raise CommandError("--days must be from 1 to 36500.")
    return timezone.now() + timedelta(days=days)


@contextmanager
def command_errors() -> Iterator[None]:
    """Turns what an action refuses into the command's error: one line on stderr, exit 1."""
    try:
        yield
    except ActionError as error:
        raise CommandError(str(error)) from error
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
