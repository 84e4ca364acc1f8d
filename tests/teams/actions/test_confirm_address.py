"""Site staff verify the address of a user, where no e-mail can."""

import pytest
from allauth.account.models import EmailAddress

from teams.actions.users import confirm_address, create_user
from teams.errors import ActionError, NotAllowedError
from teams.models import Activity
from tests.teams.conftest import newest_activity


@pytest.fixture
def kim(db):
    """A user who signed up without a mail server."""
    user = create_user(email="Kim@example.org", name="Kim")
    EmailAddress.objects.create(user=user, email="kim@example.org", verified=False, primary=True)
    return user


def test_the_address_is_confirmed_and_primary(staff, kim):
    confirm_address(by=staff, user=kim)
    address = kim.emailaddress_set.get()
    assert (address.verified, address.primary) == (True, True)
    assert (newest_activity().kind, newest_activity().person) == ("user.address_confirmed", kim)


def test_one_that_was_never_stored_is_made(staff, kim):
    kim.emailaddress_set.all().delete()
    confirm_address(by=staff, user=kim)
    assert kim.emailaddress_set.get().verified


def test_a_second_time_changes_nothing(staff, kim):
    confirm_address(by=staff, user=kim)
    rows = Activity.objects.count()
    confirm_address(by=staff, user=kim)
    assert Activity.objects.count() == rows


def test_an_address_that_somebody_else_has_confirmed_stays_theirs(staff, cast, kim):
    EmailAddress.objects.create(user=cast.member, email="kim@example.org", verified=True)
    with pytest.raises(ActionError, match="Somebody else has confirmed"):
        confirm_address(by=staff, user=kim)
    assert not kim.emailaddress_set.get().verified


@pytest.mark.parametrize("who", ["owner", "administrator", "member", "former", "outsider"])
def test_nobody_else_may(act, kim, who):
    with pytest.raises(NotAllowedError):
        confirm_address(by=act(who), user=kim)
    assert not kim.emailaddress_set.get().verified
