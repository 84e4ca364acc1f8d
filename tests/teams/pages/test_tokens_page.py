"""The tokens page, with its gateway keys."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from teams.actions.gateway_keys import create_gateway_key, revoke_gateway_key
from teams.actions.tokens import create_token, disable_token
from teams.activity import SITE
from teams.credentials import find_credential
from teams.models import GatewayKey, Mode, Token
from tests.conftest import Cast
from tests.teams.pages.conftest import text_of

NEW: dict[str, Any] = {"name": "laptop", "expires": "30", "mode": "0", "models": ""}


def secret_in(response: Any) -> str:
    return re.search(r"cb_(live|test|gw)_\w{40}", response.content.decode())[0]


@pytest.mark.parametrize("who", ["owner", "administrator", "member"])
def test_a_new_token_is_shown_once_with_commands_that_name_the_context(
    cast: Cast, page: Callable[..., str], submit: Callable[..., Any], who: str
) -> None:
    response = submit(who, "tokens/new/", **NEW)
    secret = secret_in(response)
    token = find_credential(secret, timezone.now())
    assert isinstance(token, Token)
    assert (token.user, token.team, token.mode) == (cast.user(who), cast.team, Mode.LIVE)
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    text = text_of(response)
    assert text.count("# Harbour Research, live mode") == 2
    assert "/api/v1/me" in text
    assert "from openai import OpenAI" in text
    assert "no-store" in response["Cache-Control"]
    assert secret not in page(who, "tokens/")


def test_mode_expiry_and_models_can_be_chosen(submit: Callable[..., Any]) -> None:
    secret = secret_in(
        submit("member", "tokens/new/", **(NEW | {"mode": "1", "expires": "never", "models": "a, b,a"}))
    )
    token = Token.objects.get()
    assert secret.startswith("cb_test_")
    assert (token.mode, token.expires_at, token.models) == (Mode.TEST, None, ["a", "b"])


@pytest.mark.parametrize("wrong", [{"name": ""}, {"expires": "7000"}, {"mode": "5"}, {"models": "m" * 129}])
def test_nonsense_names_the_field(submit: Callable[..., Any], wrong: dict[str, str]) -> None:
    response = submit("member", "tokens/new/", **(NEW | wrong))
    assert response.status_code == 422
    assert "Please correct the error below" in text_of(response)
    assert not Token.objects.exists()


def test_members_see_their_own_and_those_above_everybodys(
    page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    submit("member", "tokens/new/", **(NEW | {"name": "mias-laptop"}))
    submit("owner", "tokens/new/", **(NEW | {"name": "olivias-laptop"}))
    assert "olivias-laptop" not in page("member", "tokens/")
    for who in ("owner", "administrator"):
        assert "mias-laptop" in page(who, "tokens/")
        assert "olivias-laptop" in page(who, "tokens/")


def test_the_menu_offers_what_may_be_done(client_of: Callable[..., Client], submit: Callable[..., Any]) -> None:
    submit("owner", "tokens/new/", **NEW)
    mine = client_of("owner").get("/t/harbour-research/tokens/").content.decode()
    assert "Rotate secret" in mine
    assert "Revoke permanently" in mine
    administrators = client_of("administrator").get("/t/harbour-research/tokens/").content.decode()
    assert "Revoke permanently" not in administrators


def test_a_token_is_disabled_enabled_renamed_rotated_and_revoked(
    page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    old = secret_in(submit("member", "tokens/new/", **NEW))
    token = Token.objects.get()
    path = f"tokens/{token.public_id}"
    assert "“laptop” is disabled." in text_of(submit("administrator", f"{path}/disable/"))
    assert "Disabled" in page("member", "tokens/")
    assert "is enabled" in text_of(submit("member", f"{path}/enable/"))
    assert "Renamed." in text_of(submit("member", f"{path}/rename/", name="desktop"))
    new = secret_in(submit("member", f"{path}/rotate/"))
    assert new != old
    assert "“desktop” is revoked." in text_of(submit("owner", f"{path}/revoke/"))
    assert "desktop" not in page("member", "tokens/")
    assert "desktop" in page("member", "tokens/", revoked="1")
    assert "has been revoked permanently" in text_of(submit("member", f"{path}/rotate/"))


def test_another_members_token_is_not_there(cast: Cast, submit: Callable[..., Any]) -> None:
    submit("administrator", "tokens/new/", **NEW)
    token = Token.objects.get()
    for verb in ("rename", "rotate", "disable", "enable", "revoke"):
        assert submit("member", f"tokens/{token.public_id}/{verb}/").status_code == 404


def test_the_owners_token_cannot_be_stopped_by_an_administrator(submit: Callable[..., Any]) -> None:
    submit("owner", "tokens/new/", **NEW)
    token = Token.objects.get()
    for verb in ("disable", "revoke"):
        assert submit("administrator", f"tokens/{token.public_id}/{verb}/").status_code == 403


def test_an_empty_list_says_what_a_token_is_for(page: Callable[..., str]) -> None:
    assert "No tokens yet" in page("member", "tokens/")


def test_gateway_keys_are_for_owner_and_administrators(
    page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    assert "Gateway keys" not in page("member", "tokens/")
    response = submit(
        "administrator", "gateway-keys/new/", **{"gateway-name": "LiteLLM", "gateway-expires": "never"}
    )
    assert find_credential(secret_in(response), timezone.now()).name == "LiteLLM"
    key = GatewayKey.objects.get()
    path = f"gateway-keys/{key.public_id}"
    assert "is disabled" in text_of(submit("owner", f"{path}/disable/"))
    assert "is enabled" in text_of(submit("owner", f"{path}/enable/"))
    assert "Renamed." in text_of(submit("owner", f"{path}/rename/", name="Envoy"))
    assert secret_in(submit("owner", f"{path}/rotate/"))
    assert "is revoked" in text_of(submit("owner", f"{path}/revoke/"))
    assert "Envoy" in page("owner", "tokens/", revoked="1")


def test_gateway_keys_stand_below_tokens_without_a_quota_of_theirs(
    cast: Cast, page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    create_token(by=SITE, team=cast.team, user=cast.owner, name="laptop")
    submit("owner", "gateway-keys/new/", **{"gateway-name": "LiteLLM", "gateway-expires": "never"})
    text = page("owner", "tokens/")
    assert "LiteLLM" in text
    assert text.count("Set a quota") == 1


def test_a_gateway_key_without_a_name_is_refused(submit: Callable[..., Any]) -> None:
    assert submit("owner", "gateway-keys/new/").status_code == 422


def test_a_personal_space_has_tokens_of_its_own(cast: Cast, client_of: Callable[..., Client]) -> None:
    slug = cast.member.owned_teams.get(is_personal=True).slug
    client = client_of("member")
    assert "your balance" in text_of(client.get(f"/t/{slug}/tokens/"))
    secret = secret_in(client.post(f"/t/{slug}/tokens/new/", NEW))
    assert find_credential(secret, timezone.now()).team.is_personal


def test_many_tokens_come_in_pages_ones_own_first(cast: Cast, page: Callable[..., str]) -> None:
    for n in range(60):
        create_token(by=SITE, team=cast.team, user=cast.member, name=f"key {n:02}")
    create_token(by=SITE, team=cast.team, user=cast.owner, name="mine")
    first, second = page("owner", "tokens/"), page("owner", "tokens/", page="2")
    assert "Page 1 of 2" in first
    assert "mine" in first
    assert "key 59" in first
    assert "key 00" not in first
    assert "key 00" in second


def test_many_gateway_keys_come_in_pages_of_their_own(
    cast: Cast, client_of: Callable[..., Client], page: Callable[..., str]
) -> None:
    for n in range(60):
        create_gateway_key(by=SITE, team=cast.team, name=f"gateway {n:02}")
    revoke_gateway_key(by=SITE, key=GatewayKey.objects.get(name="gateway 30"), now=timezone.now())
    first, second = page("owner", "tokens/"), page("owner", "tokens/", keys="2")
    assert "gateway 59" in first
    assert "gateway 05" not in first
    assert "gateway 05" in second
    assert "gateway 59" not in second
    assert "gateway 30" not in first + second
    html = client_of("owner").get("/t/harbour-research/tokens/", {"revoked": "1"}).content.decode()
    assert 'href="/t/harbour-research/tokens/?revoked=1&amp;keys=2#gateway-keys"' in html


def test_the_pages_are_reached_from_the_answer_to_a_form_too(
    cast: Cast, client_of: Callable[..., Client], submit: Callable[..., Any]
) -> None:
    for n in range(60):
        create_token(by=SITE, team=cast.team, user=cast.owner, name=f"key {n:02}")
    html = submit("owner", "tokens/new/", **NEW).content.decode()
    assert 'href="/t/harbour-research/tokens/?page=2#tokens"' in html


@pytest.mark.parametrize("query", [{"page": "nonsense"}, {"page": "0"}, {"keys": "-1"}])
def test_a_page_that_cannot_be_is_told_and_the_first_shown(
    cast: Cast, page: Callable[..., str], query: dict[str, str]
) -> None:
    create_token(by=SITE, team=cast.team, user=cast.owner, name="laptop")
    text = page("owner", "tokens/", **query)
    assert "Please correct the error below" in text
    assert "laptop" in text


def test_a_page_beyond_the_last_shows_the_last(cast: Cast, page: Callable[..., str]) -> None:
    create_token(by=SITE, team=cast.team, user=cast.owner, name="laptop")
    assert "laptop" in page("owner", "tokens/", page="9" * 30, revoked="nonsense")


def shown_names(text: str) -> set[str]:
    """Which of the tokens and keys of these tests are listed, after the filters."""
    listed = text.partition("Find")[2]
    return {name for name in ("mias-laptop", "mias-phone", "olivias-laptop", "proxy") if name in listed}


@pytest.fixture
def several_keys(cast: Cast) -> None:
    """Tokens of two members, one of them disabled, and a revoked gateway key."""
    now = timezone.now()
    for user, name in (
        (cast.member, "mias-laptop"),
        (cast.member, "mias-phone"),
        (cast.owner, "olivias-laptop"),
    ):
        create_token(by=SITE, team=cast.team, user=user, name=name)
    disable_token(by=SITE, token=Token.objects.get(name="mias-phone"), now=now)
    key, _secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    revoke_gateway_key(by=SITE, key=key, now=now)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"mias-laptop", "mias-phone", "olivias-laptop"}),
        ({"q": "LAPTOP"}, {"mias-laptop", "olivias-laptop"}),
        ({"state": "disabled"}, {"mias-phone"}),
        ({"state": "revoked"}, {"proxy"}),
        ({"revoked": "1"}, {"mias-laptop", "mias-phone", "olivias-laptop", "proxy"}),
    ],
)
def test_tokens_and_gateway_keys_are_filtered_by_name_and_state(
    several_keys: None, page: Callable[..., str], query: dict[str, Any] | dict[str, str], found: set[str]
) -> None:
    assert shown_names(page("owner", "tokens/", **query)) == found


def test_tokens_are_filtered_by_their_holder(several_keys: None, cast: Cast, page: Callable[..., str]) -> None:
    text = page("owner", "tokens/", holder=cast.member.public_id)
    assert shown_names(text) == {"mias-laptop", "mias-phone"}
    assert "not one of the available choices" in page("owner", "tokens/", holder="usr_nobody")


def test_a_member_cannot_filter_by_another_holder(
    several_keys: None, cast: Cast, page: Callable[..., str]
) -> None:
    text = page("member", "tokens/", holder=cast.owner.public_id)
    assert "not one of the available choices" in text
    assert "olivias-laptop" not in text


def test_a_made_up_state_shows_its_error_in_the_page(several_keys: None, page: Callable[..., str]) -> None:
    assert "not one of the available choices" in page("owner", "tokens/", state="asleep")


def test_filters_without_result_say_what_to_do(several_keys: None, page: Callable[..., str]) -> None:
    text = page("owner", "tokens/", q="nothing")
    assert "No tokens match" in text
    assert "No gateway keys match" in text
