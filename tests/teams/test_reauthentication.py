"""Offering a team without entering the password, after reauthentication on another page."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from teams.models import Transfer
from tests.account_pages import add_second_factors
from tests.conftest import PASSWORD, Cast
from tests.teams.pages.conftest import text_of

OFFER, SETTINGS = "/t/harbour-research/transfer/offer/", "/t/harbour-research/settings/"


@pytest.fixture
def owner(cast: Cast) -> Client:
    """The browser of the owner, signed in with a password."""
    client = Client()
    client.post(reverse("account_login"), {"login": cast.owner.email, "password": PASSWORD})
    return client


def confirm(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def offer(client: Client, cast: Cast) -> Any:
    data = {"transfer-successor": cast.administrator.public_id, "transfer-typed_name": "Harbour Research"}
    return client.post(OFFER, data)


def test_signing_in_is_not_enough(cast: Cast, owner: Client) -> None:
    assert "Enter your password to confirm." in text_of(offer(owner, cast))
    assert not Transfer.objects.exists()


def test_who_has_just_confirmed_types_no_password(cast: Cast, owner: Client) -> None:
    confirm(owner)
    assert "You have confirmed your identity." in text_of(owner.get(SETTINGS))
    offer(owner, cast)
    assert Transfer.objects.get().successor == cast.administrator


def test_a_confirmation_is_good_for_five_minutes(cast: Cast, owner: Client) -> None:
    confirm(owner)
    with time_machine.travel(timezone.now().timestamp() + 301):
        assert "Enter your password to confirm." in text_of(offer(owner, cast))
    assert not Transfer.objects.exists()


def test_the_name_must_be_typed_all_the_same(cast: Cast, owner: Client) -> None:
    confirm(owner)
    response = owner.post(OFFER, {"transfer-successor": cast.administrator.public_id})
    assert response.status_code == 422
    assert not Transfer.objects.exists()


def test_the_passkey_is_offered_to_whoever_has_one(cast: Cast, owner: Client) -> None:
    assert "Confirm with your passkey" not in text_of(owner.get(SETTINGS))
    confirm(owner)
    add_second_factors(cast.owner)
    with time_machine.travel(timezone.now().timestamp() + 301):
        text = text_of(owner.get(SETTINGS))
    assert "No password? Confirm with your passkey" in text
    assert "Confirm with your authenticator app" in text


def test_who_has_no_password_is_asked_for_none_and_refused_without_a_passkey(cast: Cast, owner: Client) -> None:
    add_second_factors(cast.owner)
    cast.owner.set_unusable_password()
    cast.owner.save()
    client = Client()
    client.force_login(cast.owner, backend="django.contrib.auth.backends.ModelBackend")
    assert "Your password" not in text_of(client.get(SETTINGS))
    assert "Confirm your identity first." in text_of(offer(client, cast))
    assert not Transfer.objects.exists()
