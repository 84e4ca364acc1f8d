"""The people of all tests (the cast), and browsers for them."""

from collections.abc import Callable
from dataclasses import dataclass

import hypothesis
import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoDbBlocker

from logs.recording.loose_links import loose_links
from teams.actions.members import add_member
from teams.actions.teams import create_team
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from teams.activity import SITE
from teams.models import Membership, Mode, Role, Team, Token, User
from tests.snapshots import Snapshot, take_snapshot
from usage.rollups.cache import process_cache

# Tests serve static files from where they lie, without collecting them first, and hash passwords fast.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STATIC_ROOT = None
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# No test fails by the clock: a busy machine makes any example slow.
hypothesis.settings.register_profile("without a clock", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("without a clock")

PASSWORD = "correct horse battery"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that drive a browser, and those of the others that use the database.

    `make test` runs the latter on both databases and all others once. A page in a browser is the same on both:
    that a view gives the same answer on both is what its tests with Django's client prove.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "chromium" in fixtures:
            item.add_marker(pytest.mark.browser)
        elif item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}:
            item.add_marker(pytest.mark.database)


@dataclass(frozen=True)
class Cast:
    """Olivia owns the team, Adam administers it, Mia is a member, Fay was one, Otto must see nothing."""

    team: Team
    owner: User
    administrator: User
    member: User
    former: User
    outsider: User
    other_team: Team  # Otto's

    def user(self, name: str) -> User:
        return getattr(self, name)


@pytest.fixture(autouse=True)
def nothing_settled() -> None:
    """Clears the cache of the process, which would hold values of another test's database."""
    process_cache.clear()
    loose_links.clear()


@pytest.fixture(scope="session")
def cast_snapshot(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Snapshot[Cast]:
    with django_db_blocker.unblock():
        return take_snapshot(_make_cast)


@pytest.fixture
def cast(db: None, cast_snapshot: Snapshot[Cast]) -> Cast:
    return cast_snapshot.restore()


@pytest.fixture(autouse=True)
def cast_comes_first(request: pytest.FixtureRequest) -> None:
    """Creates the cast before other fixtures, which would otherwise take its ids."""
    if "cast" in request.fixturenames:
        request.getfixturevalue("cast")


def _make_cast() -> Cast:
    people = {
        name: create_user(email=f"{first}@example.org", password=PASSWORD, name=first.title(), verified=True)
        for name, first in [
            ("owner", "olivia"),
            ("administrator", "adam"),
            ("member", "mia"),
            ("former", "fay"),
            ("outsider", "otto"),
        ]
    }
    team = create_team(by=SITE, owner=people["owner"], name="Harbour Research", time_zone="Europe/Berlin")
    add_member(by=SITE, team=team, user=people["administrator"], role=Role.ADMINISTRATOR)
    add_member(by=SITE, team=team, user=people["member"])
    add_member(by=SITE, team=team, user=people["former"])
    Membership.objects.get(team=team, user=people["former"]).delete()
    other_team = create_team(by=SITE, owner=people["outsider"], name="Outside")
    return Cast(team=team, other_team=other_team, **people)


@pytest.fixture
def client_of(cast: Cast) -> Callable[..., Client]:
    """`client_of("member")`: a browser in which that person of the cast is signed in."""

    def make(name: str) -> Client:
        client = Client()
        if name != "anonymous":
            client.force_login(cast.user(name), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture
def token_of(cast: Cast) -> Callable[..., tuple[Token, str]]:
    """`token_of("member")`: a fresh token of that person in the team, and its secret."""

    def make(name: str, mode: Mode = Mode.LIVE, team: Team | None = None) -> tuple[Token, str]:
        return create_token(by=SITE, team=team or cast.team, user=cast.user(name), name="laptop", mode=mode)

    return make
