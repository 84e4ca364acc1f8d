"""Refused calls: told as they begin, then once an hour at most for each limit, with what came since."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from teams.models import Mode
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver
from tests.usage.conftest import NOW
from usage.alerts.models import Message, Webhook
from usage.alerts.outbox import send_due
from usage.alerts.refusals import alert_refusals
from usage.quotas.actions.granting import Granted
from usage.quotas.actions.reservations import InsufficientQuotaError
from usage.quotas.models import Level

pytestmark = pytest.mark.django_db


@pytest.fixture
def refuse(reserve: Callable[..., Granted], limit: Callable[..., None]) -> Callable[..., None]:
    """`refuse(3)`: so many reservations of Mia's are refused by her limit."""
    limit(Level.MEMBER, "1")

    def make(count: int, now: datetime = NOW, **wanted: Any) -> None:
        for _ in range(count):
            with pytest.raises(InsufficientQuotaError):
                reserve("2", now=now, **wanted)

    return make


def summaries() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("summary", flat=True))


def test_they_are_told_to_who_asked_by_mail_and_webhook(
    refuse: Callable[..., None],
    subscribe: Callable[..., None],
    hook: Callable[..., Webhook],
    receiver: Receiver,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    subscribe("owner", refusals=True)
    hook(receiver.url)
    refuse(42)
    assert alert_refusals(now=NOW) == 1
    assert send_due(now=NOW) == 2
    (mail,) = mailoutbox
    words = "Harbour Research: 42 calls refused since 13:00, member limit of Mia"
    assert (mail.to, mail.subject) == (["olivia@example.org"], f"Callboard: {words}")
    assert "/t/harbour-research/refusals/?from=2026-11-20T13%3A00&to=2026-11-20T14%3A00" in mail.body
    body = json.loads(receiver.got[0][2])
    assert body["text"].startswith(words)
    assert body["data"] | {"id": ""} == {
        "level": "member",
        "id": "",
        "name": "Mia",
        "refused": 42,
        "since": "2026-11-20T12:00:00+00:00",
    }


def test_the_link_leads_to_a_list_of_as_many(
    cast: Cast,
    refuse: Callable[..., None],
    subscribe: Callable[..., None],
    hook: Callable[..., Webhook],
    receiver: Receiver,
    client_of: Callable[..., Client],
) -> None:
    """Also when some of an hour were told before: all of its hours are counted, there and here."""
    subscribe("owner", refusals=True)
    hook(receiver.url)
    for minutes, count in [(0, 1), (10, 20), (61, 3)]:
        refuse(count, NOW + timedelta(minutes=minutes))
        alert_refusals(now=NOW + timedelta(minutes=minutes))
    bodies = [
        json.loads(message.body) for message in Message.objects.filter(webhook__isnull=False).order_by("pk")
    ]
    assert [body["data"]["refused"] for body in bodies] == [1, 24]
    page = client_of("owner").get(bodies[-1]["url"].partition("8000")[2]).context["page"]
    assert page.refused == 24
    assert [one.refused.refused for one in page.rows] == [3, 21]


def test_within_an_hour_they_are_told_once_and_then_all_of_the_hours_with_more(
    refuse: Callable[..., None], subscribe: Callable[..., None]
) -> None:
    subscribe("owner", refusals=True)
    told = []
    for minutes, count in [(0, 1), (1, 5), (50, 10), (61, 3), (62, 0), (122, 0), (200, 2)]:
        now = NOW + timedelta(minutes=minutes)
        refuse(count, now)
        told.append(alert_refusals(now=now))
    assert told == [1, 0, 0, 1, 0, 0, 1]
    assert [words.partition(": ")[2].partition(",")[0] for words in summaries()] == [
        "1 call refused since 13:00",
        "19 calls refused since 13:00",
        "2 calls refused since 16:00",
    ]


def test_each_limit_is_told_by_itself(
    refuse: Callable[..., None],
    limit: Callable[..., None],
    reserve: Callable[..., Granted],
    cast: Cast,
    subscribe: Callable[..., None],
) -> None:
    subscribe("owner", refusals=True)
    refuse(2)
    assert alert_refusals(now=NOW) == 1
    limit(Level.TEAM, "0.5")
    with pytest.raises(InsufficientQuotaError):
        reserve("1", user=cast.administrator)
    assert alert_refusals(now=NOW) == 1
    assert summaries()[1].endswith("limit of the team")


def test_nobody_is_told_who_did_not_ask_and_nothing_old(
    refuse: Callable[..., None], subscribe: Callable[..., None]
) -> None:
    refuse(5)
    assert alert_refusals(now=NOW) == 0
    subscribe("owner", refusals=True)
    assert alert_refusals(now=NOW + timedelta(hours=3)) == 0
    assert alert_refusals(now=NOW + timedelta(minutes=90)) == 1


def test_what_nobody_could_be_told_is_told_when_somebody_can(
    refuse: Callable[..., None], subscribe: Callable[..., None], settings: Settings
) -> None:
    subscribe("owner", refusals=True)
    settings.HAS_MAIL = False
    refuse(5)
    assert alert_refusals(now=NOW) == 0
    settings.HAS_MAIL = True
    assert alert_refusals(now=NOW) == 1


def test_test_mode_is_not_told(refuse: Callable[..., None], subscribe: Callable[..., None]) -> None:
    subscribe("owner", refusals=True)
    refuse(5, mode=Mode.TEST)
    assert alert_refusals(now=NOW) == 0
