"""The settings page: general settings, transfer, leaving, deletion."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from teams.actions.members import change_role
from teams.actions.tokens import disable_token
from teams.actions.transfers import offer_transfer
from teams.activity import SITE, Actor
from teams.models import Role, Team, Transfer
from teams.models.keys import Token
from tests.conftest import PASSWORD, Cast
from tests.teams.conftest import role_of
from tests.teams.pages.conftest import text_of

GENERAL: dict[str, Any] = {"name": "Harbour Lab", "description": "Ships", "time_zone": "Asia/Kathmandu"}


@pytest.fixture
def offer(cast: Cast) -> Transfer:
    return offer_transfer(
        by=Actor(cast.owner),
        team=cast.team,
        successor=cast.administrator,
        typed_name=cast.team.name,
        now=timezone.now(),
    )


def transfer_form(cast: Cast, **wrong: Any) -> dict[str, str]:
    right = {"successor": cast.administrator.public_id, "typed_name": "Harbour Research", "password": PASSWORD}
    return {f"transfer-{name}": value for name, value in (right | wrong).items()}


def test_everybody_sees_what_they_may_do(page: Callable[..., str]) -> None:
    owner, administrator, member = (page(who, "settings/") for who in ("owner", "administrator", "member"))
    assert "Transfer ownership" in owner
    assert "Delete this team" in owner
    assert "tokens of 3 members and 0 gateway keys will stop working immediately" in owner
    assert "Members keep their accounts, personal spaces and other teams." in owner
    assert "Transfer the ownership before you leave" in owner
    assert "General" in administrator
    assert "Delete this team" not in administrator
    assert "Leave team" in member
    assert "General" not in member


def test_name_description_and_time_zone_are_changed(cast: Cast, submit: Callable[..., Any]) -> None:
    assert "Saved." in text_of(submit("administrator", "settings/general/", **GENERAL))
    team = Team.objects.get(pk=cast.team.pk)
    assert (team.name, team.description, team.time_zone) == tuple(GENERAL.values())


@pytest.mark.parametrize("wrong", [{"name": " "}, {"time_zone": "Mars/Olympus"}, {"description": "x" * 501}])
def test_nonsense_keeps_what_was_typed_and_names_the_field(
    cast: Cast, submit: Callable[..., Any], wrong: dict[str, str]
) -> None:
    response = submit("owner", "settings/general/", **(GENERAL | wrong))
    assert response.status_code == 422
    assert "Please correct the error below" in text_of(response)
    assert Team.objects.get(pk=cast.team.pk).name == "Harbour Research"


def test_the_mode_is_switched_from_the_answer_to_a_form_too(
    client_of: Callable[..., Client], submit: Callable[..., Any]
) -> None:
    html = submit("owner", "settings/general/", name="", time_zone="UTC").content.decode()
    test_mode = re.search(r'href="([^"]*)"\s+data-mode="test"', html)[1]
    assert test_mode == "/t/harbour-research/settings/?mode=test"
    assert client_of("owner").get(test_mode).status_code == 200


def test_a_zone_under_an_old_name_survives_a_new_team_name(cast: Cast, submit: Callable[..., Any]) -> None:
    Team.objects.filter(pk=cast.team.pk).update(time_zone="Etc/UTC")
    submit("owner", "settings/general/", **(GENERAL | {"time_zone": "Etc/UTC"}))
    assert Team.objects.get(pk=cast.team.pk).name == "Harbour Lab"


def test_the_owner_offers_the_team_with_its_name_and_their_password(
    cast: Cast, page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    assert "You offered the ownership of the team to Adam." in text_of(
        submit("owner", "transfer/offer/", **transfer_form(cast))
    )
    assert Transfer.objects.get().successor == cast.administrator
    assert "You have offered the ownership of this team to Adam." in page("owner", "settings/")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "guess"}, "This password is not correct."),
        ({"password": ""}, "Enter your password to confirm."),
        ({"typed_name": "harbour"}, "Enter the name exactly as shown: “Harbour Research”."),
        ({"successor": "usr_unknown"}, "Select a valid choice"),
    ],
)
def test_a_wrong_word_stops_the_offer(
    cast: Cast, submit: Callable[..., Any], wrong: dict[str, str], words: str
) -> None:
    response = submit("owner", "transfer/offer/", **transfer_form(cast, **wrong))
    assert response.status_code == 422
    assert words in text_of(response)
    assert not Transfer.objects.exists()


def test_a_member_cannot_be_chosen_but_the_way_to_promote_is_there(
    cast: Cast, page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    response = submit("owner", "transfer/offer/", **transfer_form(cast, successor=cast.member.public_id))
    assert response.status_code == 422
    change_role(
        by=Actor(cast.owner), team=cast.team, user=cast.administrator, role=Role.MEMBER, now=timezone.now()
    )
    assert "Make a member an administrator first." in page("owner", "settings/")


def test_guessing_the_password_is_stopped(cast: Cast, submit: Callable[..., Any]) -> None:
    for _ in range(10):
        submit("owner", "transfer/offer/", **transfer_form(cast, password="guess"))
    response = submit("owner", "transfer/offer/", **transfer_form(cast))
    assert "Too many attempts" in text_of(response)
    assert not Transfer.objects.exists()


def test_only_the_successor_sees_the_banner_on_every_page(page: Callable[..., str], offer: Transfer) -> None:
    for path in ("", "members/", "settings/"):
        assert "Olivia has offered you the ownership of Harbour Research" in page("administrator", path)
        assert "has offered you the ownership" not in page("owner", path)
    assert "has offered you the ownership" not in page("member", "settings/")


def test_the_successor_takes_over_and_the_owner_becomes_administrator(
    cast: Cast, submit: Callable[..., Any], offer: Transfer
) -> None:
    text = text_of(submit("administrator", f"transfer/{offer.public_id}/accept/"))
    assert "You now own Harbour Research." in text
    assert role_of(cast.team, cast.administrator) == Role.OWNER
    assert role_of(cast.team, cast.owner) == Role.ADMINISTRATOR


def test_it_can_be_declined_and_cancelled(cast: Cast, submit: Callable[..., Any], offer: Transfer) -> None:
    assert "You declined." in text_of(submit("administrator", f"transfer/{offer.public_id}/decline/"))
    text = text_of(submit("owner", f"transfer/{offer.public_id}/cancel/"))
    assert "Adam has declined this offer." in text


def test_a_cancelled_offer_is_told_to_a_successor_who_comes_late(
    submit: Callable[..., Any], offer: Transfer
) -> None:
    assert "The offer was cancelled." in text_of(submit("owner", f"transfer/{offer.public_id}/cancel/"))
    assert "This offer was cancelled." in text_of(
        submit("administrator", f"transfer/{offer.public_id}/accept/")
    )


def test_a_member_leaves(cast: Cast, submit: Callable[..., Any]) -> None:
    submit("member", "settings/leave/")
    assert role_of(cast.team, cast.member) is None


def test_the_owner_who_posts_anyway_is_told_to_transfer_first(cast: Cast, submit: Callable[..., Any]) -> None:
    assert "Transfer the ownership before you leave" in text_of(submit("owner", "settings/leave/"))
    assert role_of(cast.team, cast.owner) == Role.OWNER


def test_the_owner_deletes_the_team_after_typing_its_name(
    cast: Cast, page: Callable[..., str], submit: Callable[..., Any]
) -> None:
    response = submit("owner", "settings/delete/", **{"delete-typed_name": "harbour"})
    assert (response.status_code, Team.objects.get(pk=cast.team.pk).deleted_at) == (422, None)
    submit("owner", "settings/delete/", **{"delete-typed_name": "Harbour Research"})
    assert Team.objects.get(pk=cast.team.pk).deleted_at is not None
    page("owner", "settings/", status=404)


def test_a_personal_space_can_change_its_zone_and_nothing_more(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    slug = cast.owner.owned_teams.get(is_personal=True).slug
    text = text_of(client_of("owner").get(f"/t/{slug}/settings/"))
    assert "General" in text
    assert "Transfer ownership" not in text
    assert "Leave this team" not in text
    assert client_of("owner").post(f"/t/{slug}/settings/delete/").status_code == 403


def test_only_active_tokens_are_said_to_stop_working(
    cast: Cast, page: Callable[..., str], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    assert "Your token for this team will stop working immediately." in page("member", "settings/")
    disable_token(by=SITE, token=token, now=timezone.now())
    assert "You have no active tokens for this team." in page("member", "settings/")
