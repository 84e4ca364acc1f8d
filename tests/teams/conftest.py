"""Fixtures: actors of the cast, and reading what their actions have written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from teams.actions.transfers import offer_transfer
from teams.actions.users import create_user
from teams.activity import Actor
from teams.models import Activity, Membership, Team, Transfer, User
from tests.conftest import Cast

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = "198.51.100.7"


@pytest.fixture
def act(cast: Cast) -> Callable[..., Actor]:
    """`act("owner")`: that person of the cast as an actor, with a known IP address."""

    def make(name: str) -> Actor:
        return Actor(cast.user(name), ADDRESS)

    return make


@pytest.fixture
def staff(db: None) -> Actor:
    """Site staff at work in the Django admin."""
    user = create_user(email="sam@example.org", name="Sam", is_staff=True, verified=True)
    return Actor(user, ADDRESS, as_staff=True)


@pytest.fixture
def has_mail(settings: Settings) -> None:
    """A site with a mail server; sent e-mails are in `mailoutbox`."""
    settings.HAS_MAIL, settings.ACCOUNT_EMAIL_VERIFICATION = True, "mandatory"


@pytest.fixture
def committed(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Callable[..., Any]:
    """`with committed():` runs functions that wait for the commit, such as sending e-mails."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def offered(cast: Cast, act: Callable[..., Actor]) -> Transfer:
    """An open offer of the team to its administrator."""
    return offer_transfer(
        by=act("owner"), team=cast.team, successor=cast.administrator, typed_name=cast.team.name, now=NOW
    )


def role_of(team: Team, user: User) -> str | None:
    """The role of a user in a team, or None."""
    return Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()


def newest_activity() -> Activity:
    """The activity row written last."""
    return Activity.objects.order_by("-id").first()
