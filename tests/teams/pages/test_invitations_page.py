"""The invitations page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from pytest_django import Settings

from teams.models import Invitation, Role
from tests.conftest import Cast
from tests.teams.conftest import NOW
from tests.teams.pages.conftest import text_of


def test_several_are_invited_at_once_with_a_role_each(cast: Cast, submit: Callable[..., Any]) -> None:
    emails = "kim@example.org, Lee <lee@example.org>\npat@example.org administrator\n\nmia@example.org; KIM@example.org"
    text = text_of(submit("administrator", "invitations/email/", emails=emails, role="member"))
    assert dict(Invitation.objects.values_list("email", "role")) == {
        "kim@example.org": Role.MEMBER,
        "lee@example.org": Role.MEMBER,
        "pat@example.org": Role.ADMINISTRATOR,
    }
    assert "mia@example.org Already in this team." in text
    assert "KIM@example.org This address is in the list more than once." in text


def test_bad_lines_are_named_and_what_was_typed_stays(submit: Callable[..., Any]) -> None:
    response = submit(
        "owner", "invitations/email/", emails="kim@example.org\nlee@@example\nnobody", role="member"
    )
    assert response.status_code == 422
    text = text_of(response)
    assert "Line 2: “lee@@example” is not an e-mail address." in text
    assert "Line 3: “nobody” is not an e-mail address." in text
    assert "kim@example.org lee@@example nobody" in text
    assert not Invitation.objects.exists()


def test_without_a_mail_server_the_page_says_so_and_shows_the_link(
    settings: Settings, committed: Callable[..., Any], submit: Callable[..., Any]
) -> None:
    settings.HAS_MAIL = False
    with committed():
        response = submit("owner", "invitations/email/", emails="kim@example.org", role="member")
    text = text_of(response)
    assert "the e-mail could not be sent: No mail server is configured." in text
    assert "/invite/cb_inv_" in text
    assert "no-store" in response["Cache-Control"]


def test_when_sending_fails_the_page_says_why_and_shows_the_link(
    has_mail: None,
    cast: Cast,
    client_of: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
) -> None:
    def refuse(self: Any, messages: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    response = client_of("owner").post(
        "/t/harbour-research/invitations/email/", {"emails": "kim@example.org", "role": "member"}
    )
    text = text_of(response)
    assert "Connection refused" in text
    assert "/invite/cb_inv_" in text


def test_a_link_that_was_mailed_is_shown_to_nobody_else(
    has_mail: None, committed: Callable[..., Any], submit: Callable[..., Any]
) -> None:
    with committed():
        text = text_of(submit("owner", "invitations/email/", emails="kim@example.org", role="member"))
    assert "Invited by e-mail." in text
    assert "/invite/cb_inv_" not in text


def test_a_link_is_made_and_shown_once(page: Callable[..., str], submit: Callable[..., Any]) -> None:
    text = text_of(submit("owner", "invitations/link/", role="member", max_uses="10", days="1"))
    assert "/invite/cb_inv_" in text
    assert Invitation.objects.get().max_uses == 10
    later = page("owner", "invitations/")
    assert "cb_inv_" not in later
    assert "0 of 10 used" in later


@pytest.mark.parametrize("wrong", [{"max_uses": "0"}, {"days": "1000"}, {"role": "owner"}, {"max_uses": "x"}])
def test_nonsense_in_the_link_form_names_the_field(submit: Callable[..., Any], wrong: dict[str, str]) -> None:
    response = submit(
        "owner", "invitations/link/", **({"role": "member", "max_uses": "1", "days": "7"} | wrong)
    )
    assert response.status_code == 422
    assert "Please correct the error below" in text_of(response)
    assert not Invitation.objects.exists()


def test_states_stay_visible_and_filter_the_list(
    page: Callable[..., str], submit: Callable[..., Any], invited: Callable[..., str]
) -> None:
    invited("kim@example.org")
    invited("lee@example.org")
    invitation = Invitation.objects.get(email="lee@example.org")
    submit("owner", f"invitations/{invitation.public_id}/revoke/")
    everything = page("owner", "invitations/")
    assert "kim@example.org" in everything
    assert "lee@example.org" in everything
    only_revoked = page("owner", "invitations/", state="revoked")
    assert "lee@example.org Revoked" in only_revoked
    assert "kim@example.org Pending" not in only_revoked


def test_invitations_are_found_by_address_and_role(
    page: Callable[..., str], invited: Callable[..., str]
) -> None:
    invited("fay@example.org", "member")
    invited("gus@example.org", "administrator")
    for query in ({"q": "FAY"}, {"role": "member"}, {"role": "member", "state": "pending"}):
        listed = page("owner", "invitations/", **query).partition("Find")[2]
        assert "fay@example.org" in listed
        assert "gus@example.org" not in listed
    assert "No invitations match" in page("owner", "invitations/", q="nobody")


def test_a_made_up_role_shows_its_error(page: Callable[..., str]) -> None:
    assert "not one of the available choices" in page("owner", "invitations/", role="owner")


def test_a_made_up_state_shows_its_error(page: Callable[..., str]) -> None:
    assert "not one of the available choices" in page("owner", "invitations/", state="lost")


def test_sending_again_and_a_lost_race(
    page: Callable[..., str], submit: Callable[..., Any], invited: Callable[..., str]
) -> None:
    invited("kim@example.org")
    invitation = Invitation.objects.get()
    assert "The previous link no longer works" in text_of(
        submit("owner", f"invitations/{invitation.public_id}/resend/")
    ) or "Send this link to the person yourself" in text_of(
        submit("owner", f"invitations/{invitation.public_id}/resend/")
    )
    submit("owner", f"invitations/{invitation.public_id}/revoke/")
    for path in ("resend", "revoke"):
        text = text_of(submit("administrator", f"invitations/{invitation.public_id}/{path}/"))
        assert "has already been revoked" in text


def test_an_invitation_of_another_team_is_not_there(
    cast: Cast, client_of: Callable[..., Client], invited: Callable[..., str]
) -> None:
    invited("kim@example.org")
    invitation = Invitation.objects.get()
    slug = cast.other_team.slug
    for path in ("resend", "revoke"):
        response = client_of("outsider").post(f"/t/{slug}/invitations/{invitation.public_id}/{path}/")
        assert response.status_code == 404
    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_many_come_in_pages_which_keep_the_state(
    client_of: Callable[..., Client], page: Callable[..., str], invited: Callable[..., str]
) -> None:
    for n in range(55):
        invited(f"kim{n:02}@example.org")
    Invitation.objects.filter(email__lt="kim03").update(revoked_at=NOW)
    first, second = page("owner", "invitations/"), page("owner", "invitations/", page="2")
    assert "Page 1 of 2" in first
    assert "kim54@example.org" in first
    assert "kim00@example.org" not in first
    assert "kim00@example.org" in second
    pending = page("owner", "invitations/", state="pending", page="2")
    assert "Page 2 of 2" in pending
    assert "kim03@example.org" in pending
    assert "kim00@example.org" not in pending
    html = client_of("owner").get("/t/harbour-research/invitations/", {"state": "pending"}).content.decode()
    assert 'href="/t/harbour-research/invitations/?state=pending&amp;page=2"' in html
    assert "Page 1" not in page("owner", "invitations/", state="revoked")


@pytest.mark.parametrize("number", ["nonsense", "0", "-1"])
def test_a_page_that_cannot_be_is_told(
    page: Callable[..., str], invited: Callable[..., str], number: str
) -> None:
    invited("kim@example.org")
    text = page("owner", "invitations/", page=number)
    assert "Please correct the error below" in text
    assert "kim@example.org" in text


def test_the_pages_are_reached_from_the_answer_to_a_form_too(
    submit: Callable[..., Any], invited: Callable[..., str]
) -> None:
    for n in range(55):
        invited(f"kim{n:02}@example.org")
    html = submit("owner", "invitations/link/", role="member", max_uses="1", days="1").content.decode()
    assert 'href="/t/harbour-research/invitations/?page=2"' in html


def test_a_swap_brings_the_list_alone(client_of: Callable[..., Client]) -> None:
    response = client_of("owner").get("/t/harbour-research/invitations/", headers={"HX-Request": "true"})
    assert response.content.decode().strip().startswith('<div id="teams-invitations"')
