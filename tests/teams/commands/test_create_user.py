"""`manage.py create_user`"""

import io
import subprocess
import sys
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.core.management.base import CommandError

from teams.models import User
from tests.conftest import Cast


def test_it_prints_the_public_id_of_a_user_with_a_personal_space(db: None, run: Callable[..., str]) -> None:
    printed = run("create_user", "kim@example.org", "--name", "Kim")
    user = User.objects.get(email="kim@example.org")
    assert printed == user.public_id
    assert user.name == "Kim"
    assert user.owned_teams.get().is_personal
    assert EmailAddress.objects.get(user=user).verified
    assert not user.has_usable_password()
    assert not user.is_staff


def test_the_password_comes_from_standard_input(
    db: None, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    run("create_user", "kim@example.org", "--password-stdin", "--staff")
    user = User.objects.get(email="kim@example.org")
    assert user.check_password("correct horse battery")
    assert user.is_staff


@pytest.mark.parametrize("email", ["olivia@example.org", "OLIVIA@example.org", "no address", ""])
def test_a_taken_or_wrong_address_is_an_error(cast: Cast, run: Callable[..., str], email: str) -> None:
    count = User.objects.count()
    with pytest.raises(CommandError):
        run("create_user", email)
    assert User.objects.count() == count


def test_errors_go_to_stderr_with_exit_status_1() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "create_token", "nobody@example.org", "--days", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert "invalid int value" in done.stderr
