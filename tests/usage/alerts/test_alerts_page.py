"""The pages about alerts: own mails, thresholds, webhooks, messages, as people use them."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from config.jobs import run_due
from config.models import JobRun
from teams.models import Activity
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver, receiving
from tests.usage.conftest import text_of
from usage.alerts.actions.policy import thresholds_of
from usage.alerts.models import Event, Message, Webhook
from usage.anomalies.models import UsageMail

NEW: dict[str, Any] = {"name": "chat", "events": ["quota.threshold", "usage.unusual"]}


@pytest.fixture(autouse=True)
def reachable(settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    settings.HAS_MAIL = True


@pytest.fixture
def receiver() -> Iterator[Any]:
    with receiving(Receiver()) as one:
        yield one


@pytest.fixture
def at(cast: Cast) -> Callable[..., Any]:
    return lambda path="": f"/t/{cast.team.slug}/alerts/{path}"


@pytest.fixture
def owner(client_of: Callable[..., Client]) -> Client:
    return client_of("owner")


@pytest.fixture
def webhook(owner: Client, at: Callable[..., Any], receiver: Any) -> Webhook:
    owner.post(at("webhooks/new/"), {**NEW, "url": receiver.url})
    return Webhook.objects.get()


def test_owners_see_everything_and_members_their_own_mails_only(
    client_of: Callable[..., Client], at: Callable[..., Any]
) -> None:
    page = text_of(client_of("owner").get(at()))
    for words in (
        "Your e-mail notifications",
        "Everybody’s quotas",
        "Quota thresholds",
        "No webhooks yet",
        "Latest messages",
    ):
        assert words in page
    page = text_of(client_of("member").get(at()))
    assert "My quotas" in page
    for words in ("Everybody’s quotas", "Thresholds", "Webhook", "messages", "Weekly digest"):
        assert words not in page


LATE = "so none are sent"


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_that_nobody_looks_for_alerts_is_said_until_somebody_does(
    client_of: Callable[..., Client], at: Callable[..., Any], name: str
) -> None:
    client = client_of(name)
    assert LATE in text_of(client.get(at()))
    call_command("send_alerts", stdout=StringIO())
    assert LATE not in text_of(client.get(at()))
    JobRun.objects.update(started_at=timezone.now() - timedelta(minutes=16))
    page = text_of(client.get(at()))
    assert "Alerts were last checked <time" in page
    assert "manage.py send_alerts" in page
    run_due(now=timezone.now())  # as `serve` does
    assert LATE not in text_of(client.get(at()))


def test_a_member_cannot_help_it_and_is_not_told(
    client_of: Callable[..., Client], at: Callable[..., Any]
) -> None:
    assert LATE not in text_of(client_of("member").get(at()))


def test_mails_are_chosen_and_shown_as_chosen(
    cast: Cast, client_of: Callable[..., Client], at: Callable[..., Any]
) -> None:
    client = client_of("administrator")
    client.post(at("mails/"), {"quotas": "on", "digest": "on"})
    known = UsageMail.objects.get()
    assert (known.wants_quotas, known.wants_digest, known.wants_own_quotas) == (True, True, False)
    page = text_of(client.get(at()))
    assert len(re.findall(r"checked", page.partition("Quota thresholds")[0])) == 2
    client.post(at("mails/"), {})
    known.refresh_from_db()
    assert (known.wants_quotas, known.wants_digest) == (False, False)


def test_a_member_cannot_ask_for_what_tells_of_others(
    client_of: Callable[..., Client], at: Callable[..., Any]
) -> None:
    client_of("member").post(at("mails/"), {"own_quotas": "on", "quotas": "on", "digest": "on"})
    assert not UsageMail.objects.filter(wants_quotas=True).exists()
    assert not UsageMail.objects.filter(wants_digest=True).exists()


def test_thresholds_are_written_as_people_write_them(cast: Cast, owner: Client, at: Callable[..., Any]) -> None:
    owner.post(at("thresholds/"), {"thresholds": "90%, 60; 100"})
    assert thresholds_of(cast.team) == [60, 90, 100]
    assert 'value="60, 90, 100"' in text_of(owner.get(at()))
    owner.post(at("thresholds/"), {"thresholds": ""})
    assert thresholds_of(cast.team) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("half", "“half” is not a whole number"),
        ("12.5", "12.5"),
        ("0", "from 1 to 200"),
        ("٥٠", "is not a whole"),
    ],
)
def test_senseless_thresholds_are_told_at_the_field(
    cast: Cast, owner: Client, at: Callable[..., Any], text: str, words: str
) -> None:
    page = text_of(owner.post(at("thresholds/"), {"thresholds": text}), 422)
    assert words in page
    assert thresholds_of(cast.team) == [50, 80, 95, 100]


def test_a_new_webhook_shows_its_secret_once(owner: Client, at: Callable[..., Any], receiver: Any) -> None:
    response = owner.post(at("webhooks/new/"), {**NEW, "url": receiver.url})
    page = text_of(response)
    assert "no-store" in response["Cache-Control"]
    (secret,) = re.findall(r">(whsec_[A-Za-z0-9+/=]{44})<", page)
    for path in ("", f"webhooks/{Webhook.objects.get().public_id}/"):
        assert secret not in text_of(owner.get(at(path)))


def test_lists_show_the_host_of_an_address_and_only_its_own_page_the_rest(
    owner: Client, at: Callable[..., Any], webhook: Webhook
) -> None:
    assert "T0P-S3CRET" not in text_of(owner.get(at()))
    assert "T0P-S3CRET" in text_of(owner.get(at(f"webhooks/{webhook.public_id}/")))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "nowhere"}, "Enter an address"),
        ({"url": ""}, "This field is required"),
        ({"url": "https://no-such-host.invalid/"}, "no-such-host.invalid cannot be found"),
        ({"name": ""}, "This field is required"),
        ({"events": []}, "This field is required"),
        ({"events": ["<script>"]}, "is not one of the available choices"),
    ],
)
def test_a_webhook_that_will_not_do_is_told_at_the_field(
    owner: Client,
    at: Callable[..., Any],
    receiver: Any,
    changed: dict[str, str] | dict[str, list[Any]] | dict[str, list[str]],
    words: str,
) -> None:
    page = text_of(owner.post(at("webhooks/new/"), {**NEW, "url": receiver.url, **changed}), 422)
    assert words in page
    assert "<script>" not in page.partition("<main")[2]
    assert not Webhook.objects.exists()


def test_a_test_is_sent_now_and_its_outcome_shown(
    owner: Client, at: Callable[..., Any], webhook: Webhook, receiver: Any
) -> None:
    page = text_of(owner.post(at(f"webhooks/{webhook.public_id}/test/"), follow=True))
    assert "“chat” accepted the message: 200 after" in page
    assert len(receiver.got) == 1
    receiver.statuses = [404]
    page = text_of(owner.post(at(f"webhooks/{webhook.public_id}/test/"), follow=True))
    assert "“chat” did not accept the message. The receiver answered 404." in page
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == ["delivered", "failed"]


def test_a_message_is_sent_again_from_the_log(
    owner: Client, at: Callable[..., Any], webhook: Webhook, receiver: Any
) -> None:
    receiver.statuses = [500, 200]
    owner.post(at(f"webhooks/{webhook.public_id}/test/"))
    message = Message.objects.get()
    assert message.public_id in text_of(owner.get(at("messages/")))
    page = text_of(owner.post(at(f"messages/{message.public_id}/resend/"), follow=True))
    assert "accepted the message" in page
    assert len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 1


def test_a_webhook_is_changed_rotated_and_deleted(
    owner: Client, at: Callable[..., Any], webhook: Webhook, receiver: Any
) -> None:
    here = f"webhooks/{webhook.public_id}/"
    response = owner.post(at(f"{here}change/"), {**NEW, "url": receiver.url, "name": "pager"})
    assert response.status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.is_active) == ("pager", False)
    assert "whsec_" in text_of(owner.post(at(f"{here}rotate/")))
    owner.post(at(f"{here}delete/"))
    assert not Webhook.objects.exists()
    kinds = Activity.objects.filter(kind__startswith="webhook.").values_list("kind", flat=True)
    assert set(kinds) == {"webhook.created", "webhook.changed", "webhook.rotated", "webhook.deleted"}
    page = text_of(owner.get(f"/t/{webhook.team.slug}/activity/"))
    assert "gave the webhook pager a new secret" in page


def test_why_a_webhook_was_switched_off_is_said(
    owner: Client, at: Callable[..., Any], webhook: Webhook
) -> None:
    Webhook.objects.update(is_active=False, stopped_because="Every attempt failed for 3 days.")
    page = text_of(owner.get(at(f"webhooks/{webhook.public_id}/")))
    assert "Callboard switched this webhook off" in page
    assert "Every attempt failed for 3 days." in page


def test_another_teams_webhooks_and_messages_do_not_exist_here(
    cast: Cast, client_of: Callable[..., Client], at: Callable[..., Any], webhook: Webhook, owner: Client
) -> None:
    owner.post(at(f"webhooks/{webhook.public_id}/test/"))
    client, there = client_of("outsider"), f"/t/{cast.other_team.slug}/alerts/"
    message = Message.objects.get().public_id
    assert client.get(f"{there}webhooks/{webhook.public_id}/").status_code == 404
    page = text_of(client.get(f"{there}messages/?webhook={webhook.public_id}"))
    assert "not one of the available choices" in page
    assert message not in page
    for path in ("test/", "rotate/", "change/", "delete/"):
        assert client.post(f"{there}webhooks/{webhook.public_id}/{path}").status_code == 404
    assert client.post(f"{there}messages/{message}/resend/").status_code == 404
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=99999999999999999999", "webhook=hook_none", "state=lost"]
)
def test_a_bad_filter_shows_its_error_in_the_page(owner: Client, at: Callable[..., Any], query: str) -> None:
    response = owner.get(at(f"messages/?{query}"))
    assert response.status_code == 200
    assert "Please correct the error below" in text_of(response)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=failed", {"a.", "b."}),
        ("event=quota.refused", {"b.", "c."}),
        ("state=failed&event=quota.refused", {"b."}),
        ("state=pending", set()),
    ],
)
def test_messages_are_filtered_by_event_and_state(
    cast: Cast, owner: Client, at: Callable[..., Any], query: str, found: set[str] | set[Any]
) -> None:
    now = timezone.now()
    for summary, event, state in [
        ("message a.", Event.QUOTA, "failed"),
        ("message b.", Event.REFUSED, "failed"),
        ("message c.", Event.REFUSED, "delivered"),
    ]:
        Message.objects.create(
            team=cast.team, event=event, state=state, summary=summary, body="{}", created_at=now, due_at=now
        )
    page = text_of(owner.get(at(f"messages/?{query}")))
    assert {name for name in ("a.", "b.", "c.") if f"message {name}" in page} == found
    assert ("No messages match" in page) == (not found)


def test_the_log_is_paged(cast: Cast, owner: Client, at: Callable[..., Any], webhook: Webhook) -> None:

    now = timezone.now()
    Message.objects.bulk_create(
        Message(team=cast.team, webhook=webhook, summary=f"number {n}.", body="{}", created_at=now, due_at=now)
        for n in range(60)
    )
    page = text_of(owner.get(at("messages/")))
    assert "number 59." in page
    assert "number 9." not in page
    (older,) = re.findall(r"before=(\d+)", page)
    page = text_of(owner.get(at(f"messages/?before={older}"), headers={"HX-Request": "true"}))
    assert "number 9." in page
    assert "<html" not in page


def test_a_personal_space_has_alerts_of_its_own(cast: Cast, client_of: Callable[..., Client]) -> None:
    space = cast.member.owned_teams.get(is_personal=True)
    page = text_of(client_of("member").get(f"/t/{space.slug}/alerts/"))
    assert "When my balance" in page
    assert "Webhooks" in page
    assert "Everybody’s quotas" not in page
