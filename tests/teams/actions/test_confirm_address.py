"""Site staff verify the address of a user, where no e-mail can."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress

from teams.actions.users import confirm_address, create_user
from teams.activity import Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Activity
from teams.models.users import User
from tests.conftest import Cast
from tests.teams.conftest import newest_activity


@pytest.fixture
def kim(db: None) -> User:
    """A user who signed up without a mail server."""
    user = create_user(email="Kim@example.org", name="Kim")
    EmailAddress.objects.create(user=user, email="kim@example.org", verified=False, primary=True)
    return user


def test_the_address_is_confirmed_and_primary(staff: Actor, kim: User) -> None:
    confirm_address(by=staff, user=kim)
    address = EmailAddress.objects.get(user=kim)
    assert (address.verified, address.primary) == (True, True)
    assert (newest_activity().kind, newest_activity().person) == ("user.address_confirmed", kim)


def test_one_that_was_never_stored_is_made(staff: Actor, kim: User) -> None:
    EmailAddress.objects.filter(user=kim).delete()
    confirm_address(by=staff, user=kim)
    assert EmailAddress.objects.get(user=kim).verified


def test_a_second_time_changes_nothing(staff: Actor, kim: User) -> None:
    confirm_address(by=staff, user=kim)
    rows = Activity.objects.count()
    confirm_address(by=staff, user=kim)
    assert Activity.objects.count() == rows


def test_an_address_that_somebody_else_has_confirmed_stays_theirs(staff: Actor, cast: Cast, kim: User) -> None:
    EmailAddress.objects.create(user=cast.member, email="kim@example.org", verified=True)
    with pytest.raises(ActionError, match="Somebody else has confirmed"):
        confirm_address(by=staff, user=kim)
    assert not EmailAddress.objects.get(user=kim).verified


@pytest.mark.parametrize("who", ["owner", "administrator", "member", "former", "outsider"])
def test_nobody_else_may(act: Callable[..., Actor], kim: User, who: str) -> None:
    with pytest.raises(NotAllowedError):
        confirm_address(by=act(who), user=kim)
    assert not EmailAddress.objects.get(user=kim).verified
