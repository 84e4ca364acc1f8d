"""A key that used to work and has nothing but rejections: somebody is notified, once until it works again."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from teams.actions.gateway_keys import create_gateway_key
from teams.actions.tokens import revoke_token
from teams.actions.transfers import transfer_by_staff
from teams.actions.users import create_user
from teams.activity import SITE, Actor
from teams.models import Mode, Team
from teams.models.keys import Token
from teams.support_group import support_group
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver
from tests.usage.conftest import NOW
from usage.alerts.keys import alert_failing_keys
from usage.alerts.models import Message, Webhook
from usage.alerts.outbox import send_due
from usage.reporting.counting import Reason, Report, count_report
from usage.reporting.models import KeyAlert

pytestmark = pytest.mark.django_db
WORKED = Report(accepted=1)
REASON = Reason("invalid_request", "started_at is required.", "started_at", "r1", 1)
REJECTED = Report(rejected=1, reasons=[REASON])
REFUSED = Report(is_refused=True, reasons=[Reason("invalid_json", "This is not JSON.")])


def at(minutes: Any) -> datetime:
    return NOW + timedelta(minutes=minutes)


def follow(key: Any, *reports: Any) -> None:
    """Counts the reports, each so many minutes after NOW."""
    for minutes, report in reports:
        count_report(key, report, at(minutes))


def alerts(*minutes: Any) -> list[int]:
    """How many keys were alerted about at each of these minutes."""
    return [alert_failing_keys(now=at(one)) for one in minutes]


@pytest.fixture
def token(token_of: Callable[..., tuple[Token, str]]) -> Any:
    return token_of("member")[0]


def test_the_owner_of_the_team_gets_a_mail_and_webhooks_a_message(
    token: Any,
    cast: Cast,
    hook: Callable[..., Webhook],
    receiver: Receiver,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    hook(receiver.url)
    follow(token, (0, WORKED), (3, REJECTED), (10, REFUSED), (14, REJECTED))
    assert alerts(17, 18, 19) == [0, 1, 0]
    assert send_due(now=at(19)) == 2
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (
        ["olivia@example.org"],
        "Callboard: Everything from the token laptop in Harbour Research is rejected",
    )
    page = f"/t/harbour-research/tokens/{token.public_id}/"
    for words in (page, "started_at is required.", "Since Nov. 20, 2026, 1:03 p.m. (Europe/Berlin)"):
        assert words in mail.body
    body = json.loads(receiver.got[0][2])
    assert (body["type"], body["url"].endswith(page)) == ("key.rejected", True)
    assert body["data"] == {
        "kind": "token",
        "id": token.public_id,
        "name": "laptop",
        "since": "2026-11-20T12:03:00+00:00",
        "worked_at": "2026-11-20T12:00:00+00:00",
        "reason": "started_at is required.",
    }


def test_the_link_of_the_mail_leads_to_the_reasons(
    token: Any, client_of: Callable[..., Client], hook: Callable[..., Webhook]
) -> None:
    follow(token, (0, WORKED), (1, REJECTED))
    alerts(20)
    url = json.loads(Message.objects.get().body)["url"]
    with time_machine.travel(at(20)):
        page = client_of("owner").get(url.partition("8000")[2])
    assert REASON.message in page.content.decode()


def test_a_key_that_never_worked_is_not_alerted_about(token: Any) -> None:
    follow(token, (0, REJECTED), (20, REJECTED))
    assert alerts(21, 40) == [0, 0]


@pytest.mark.parametrize("success", [WORKED, Report(duplicates=1), Report(accepted=1, rejected=99)])
def test_one_record_that_is_taken_ends_it(token: Any, success: Report) -> None:
    follow(token, (0, WORKED), (1, REJECTED), (15, success), (16, REJECTED))
    assert alerts(17, 30) == [0, 0]


def test_each_episode_is_alerted_about_once(token: Any) -> None:
    follow(token, (0, WORKED), (1, REJECTED), (20, REJECTED), (50, REJECTED))
    assert alerts(21, 22, 51) == [1, 0, 0]
    follow(token, (60, WORKED), (61, REJECTED), (80, REJECTED))
    assert alerts(60, 70, 76, 80) == [0, 0, 1, 0]
    assert KeyAlert.objects.count() == 1


def test_an_episode_that_goes_on_over_hours_began_where_it_began(token: Any) -> None:
    follow(token, (0, WORKED), (55, REJECTED), (65, REJECTED))
    assert alerts(69, 70) == [0, 1]


def test_a_key_that_fell_silent_long_ago_is_no_news(token: Any) -> None:
    follow(token, (0, WORKED), (1, REJECTED))
    assert alerts(122) == [0]


def test_a_gateway_key_is_alerted_about_by_its_name_and_page(cast: Cast) -> None:
    key = create_gateway_key(by=SITE, team=cast.team, name="proxy")[0]
    follow(key, (0, WORKED), (1, REFUSED))
    assert alerts(16) == [1]
    message = Message.objects.get()
    assert message.summary == "Everything from the gateway key proxy of Harbour Research is rejected"
    assert message.url.endswith(f"/t/harbour-research/gateway-keys/{key.public_id}/")


def test_a_key_of_the_site_is_for_its_staff_alone(cast: Cast, mailoutbox: list[EmailMultiAlternatives]) -> None:
    root = create_user(email="root@example.org", is_staff=True, is_superuser=True, verified=True)
    helper = create_user(email="help@example.org", is_staff=True, verified=True)
    helper.groups.add(support_group())
    create_user(email="gone@example.org", is_staff=True, is_active=False, verified=True)
    key = create_gateway_key(by=SITE, team=None, name="litellm")[0]
    follow(key, (0, WORKED), (1, REJECTED))
    assert alerts(16, 17) == [1, 0]
    send_due(now=at(17))
    assert sorted(mail.to[0] for mail in mailoutbox) == ["help@example.org", "root@example.org"]
    assert "Everything from the gateway key litellm of the site is rejected" in mailoutbox[0].subject
    assert f"/admin/teams/gatewaykey/{key.pk}/change/" in mailoutbox[0].body
    assert set(Message.objects.values_list("team__owner", flat=True)) == {root.pk, helper.pk}


def test_a_key_that_was_revoked_and_is_still_used_is_alerted_about(token: Any) -> None:
    follow(token, (0, WORKED))
    revoke_token(by=SITE, token=token, now=NOW)
    follow(token, (1, REFUSED), (20, REFUSED))
    assert alerts(20) == [1]


def test_test_mode_is_not_alerted_about(token_of: Callable[..., tuple[Token, str]]) -> None:
    token = token_of("member", mode=Mode.TEST)[0]
    follow(token, (0, WORKED), (1, REJECTED))
    assert alerts(16) == [0]


def test_the_owner_is_whoever_owns_the_team_by_then(token: Any, cast: Cast) -> None:
    follow(token, (0, WORKED), (1, REJECTED))
    root = create_user(email="root@example.org", is_staff=True, is_superuser=True, verified=True)
    by = Actor(root, as_staff=True)
    transfer_by_staff(by=by, team=cast.team, successor=cast.administrator, now=NOW)
    alerts(16)
    assert Message.objects.get().to == "adam@example.org"


def test_what_nobody_could_be_sent_is_sent_when_somebody_can(token: Any, settings: Settings) -> None:
    follow(token, (0, WORKED), (1, REJECTED))
    settings.HAS_MAIL = False
    assert alerts(16) == [0]
    settings.HAS_MAIL = True
    assert alerts(17) == [1]


def test_nothing_is_sent_of_a_deleted_team(token: Any, cast: Cast) -> None:
    follow(token, (0, WORKED), (1, REJECTED))
    Team.objects.filter(pk=cast.team.pk).update(deleted_at=NOW)
    assert alerts(16) == [0]
