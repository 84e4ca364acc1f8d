"""Users stay signed in until the session ends."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests.conftest import Cast


@pytest.fixture
def signed_in(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.member, backend="django.contrib.auth.backends.ModelBackend")
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_a_session_is_found_with_what_it_holds(cast: Cast, signed_in: Client) -> None:
    assert is_signed_in(signed_in)
    assert signed_in.session["_auth_user_id"] == str(cast.member.pk)


def test_a_session_that_has_run_out_lets_nobody_in(signed_in: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_signed_in(signed_in)


def test_a_session_that_was_deleted_lets_nobody_in(signed_in: Client) -> None:
    Session.objects.all().delete()
    assert not is_signed_in(signed_in)


def test_a_session_is_another_one_after_signing_out(signed_in: Client) -> None:
    before = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    signed_in.post("/accounts/logout/")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = before
    assert not is_signed_in(thief)


@pytest.mark.parametrize("key", ["", "a key", "x" * 40, "'; DROP TABLE django_session; --", "%s"])
def test_a_key_that_is_no_session_lets_nobody_in(signed_in: Client, key: str) -> None:
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_signed_in(thief)
    assert is_signed_in(signed_in)
