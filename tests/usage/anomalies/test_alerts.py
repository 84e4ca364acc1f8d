"""Alerts of anomalies: once for each, to those who want them, in words with a link."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from teams.activity import Actor
from teams.models import Membership, Mode, Role
from tests.conftest import Cast
from tests.usage.anomalies.conftest import LUNCH, NOW
from usage.alerts.actions.subscriptions import Subscriptions, set_subscriptions
from usage.alerts.anomalies import alert_anomalies
from usage.alerts.models import Message
from usage.alerts.outbox import send_due
from usage.anomalies.actions import mark_expected
from usage.anomalies.find import find_anomalies
from usage.anomalies.models import EpisodeAlert
from usage.rollups.query import Range

SOON = LUNCH + timedelta(minutes=70)


@pytest.fixture(autouse=True)
def nothing_kept(db: None, settings: Settings) -> None:
    cache.clear()
    settings.HAS_MAIL = True


@pytest.fixture
def wanted(cast: Cast) -> None:
    """Olivia and Adam want alerts."""
    for user in (cast.owner, cast.administrator):
        set_subscriptions(by=Actor(user), team=cast.team, wishes=Subscriptions(alerts=True), now=NOW)


@pytest.fixture
def alert() -> Callable[..., int]:
    def run(now: datetime = SOON) -> int:
        told = alert_anomalies(now=now)
        send_due(now=now)
        return told

    return run


def test_an_episode_is_told_once_to_everybody_who_wants_it(
    runaway: None, wanted: None, alert: Callable[..., int], mailoutbox: list[EmailMultiAlternatives]
) -> None:
    assert [alert(SOON + timedelta(hours=hour)) for hour in range(4)] == [1, 0, 0, 0]
    assert sorted(mail.to[0] for mail in mailoutbox) == ["adam@example.org", "olivia@example.org"]
    mail = mailoutbox[0]
    assert mail.subject.startswith("Callboard: Anomaly in Harbour Research: 12:00 Thu: 1,02")
    assert "By Mia" in mail.body
    assert "/t/harbour-research/logs/?from=2026-11-19T12%3A00" in mail.body


def test_nobody_is_told_who_did_not_ask(
    runaway: None, alert: Callable[..., int], mailoutbox: list[EmailMultiAlternatives]
) -> None:
    assert alert() == 0
    assert mailoutbox == []
    assert not EpisodeAlert.objects.exists()


def test_what_nobody_could_be_told_is_told_when_somebody_can(
    runaway: None,
    wanted: None,
    alert: Callable[..., int],
    mailoutbox: list[EmailMultiAlternatives],
    settings: Settings,
) -> None:
    settings.HAS_MAIL = False
    assert alert() == 0
    settings.HAS_MAIL = True
    assert alert() == 1
    assert len(mailoutbox) == 2


def test_an_episode_that_goes_on_is_the_same(
    runaway: None, wanted: None, happen: Callable[..., None], alert: Callable[..., int]
) -> None:
    assert alert() == 1
    cache.clear()
    happen("script", 900, at=LUNCH + timedelta(hours=1))
    assert alert(SOON + timedelta(hours=1)) == 0


def test_what_is_expected_stays_quiet(
    cast: Cast, runaway: None, wanted: None, alert: Callable[..., int]
) -> None:
    (episode,) = find_anomalies(cast.team, Mode.LIVE, Range(SOON - timedelta(hours=5), SOON), SOON).episodes[:1]
    mark_expected(
        by=Actor(cast.owner), team=cast.team, mode=Mode.LIVE, episode=episode, reason="Test", now=SOON
    )
    assert alert() == 0


def test_what_is_long_over_is_no_news(
    usual: None, wanted: None, happen: Callable[..., None], alert: Callable[..., int]
) -> None:
    happen("script", 1000, at=LUNCH - timedelta(days=2))
    assert alert(SOON) == 0
    assert alert(LUNCH - timedelta(days=2) + timedelta(minutes=70)) == 1


def test_who_is_no_longer_an_administrator_is_not_told(
    cast: Cast, runaway: None, wanted: None, alert: Callable[..., int], mailoutbox: list[EmailMultiAlternatives]
) -> None:
    Membership.objects.filter(user=cast.administrator, team=cast.team).update(role=Role.MEMBER)
    assert alert() == 1
    assert [mail.to for mail in mailoutbox] == [["olivia@example.org"]]


def test_the_alert_leads_to_the_calls_that_drove_it_from_mail_page_and_log(
    runaway: None,
    wanted: None,
    alert: Callable[..., int],
    mailoutbox: list[EmailMultiAlternatives],
    client_of: Callable[..., Client],
) -> None:
    alert()
    message = Message.objects.order_by("pk").first()
    assert message.url in mailoutbox[0].body
    client = client_of("owner")
    with time_machine.travel(SOON, tick=False):
        page = client.get(f"/t/{message.team.slug}/alerts/").content.decode()
        assert f'href="{message.url.replace("&", "&amp;")}"' in page
        assert client.get(message.url.partition("8000")[2]).context["page"].total.calls == 1000


def test_the_command_prints_how_many(runaway: None, wanted: None) -> None:
    out = StringIO()
    with time_machine.travel(SOON, tick=False):
        call_command("send_alerts", stdout=out)
    assert out.getvalue() == "0 quotas, 0 refusals, 1 anomalies, 0 failing keys, 2 messages delivered\n"
