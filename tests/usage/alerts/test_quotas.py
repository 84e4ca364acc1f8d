"""Quotas that reach a threshold: told once, to whom they concern and who asked, in words with a link."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.tokens import create_token, revoke_token
from teams.activity import SITE, Actor
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver
from tests.usage.conftest import NOW, nanos
from usage.alerts.actions.policy import set_thresholds
from usage.alerts.models import Message, ThresholdAlert, Webhook
from usage.alerts.outbox import send_due
from usage.alerts.quotas import alert_quotas
from usage.quotas.actions.limits import Limit, set_balance
from usage.quotas.availability import payer_of
from usage.quotas.models import Level, Period

pytestmark = pytest.mark.django_db


@pytest.fixture
def spend(cast: Cast) -> Callable[..., None]:
    """`spend("8")`: Mia's calls cost so much, by one token unless another is given."""
    tokens = {}

    def record(
        usd: str,
        *,
        name: str = "member",
        token: Any = None,
        mode: Mode = Mode.LIVE,
        now: datetime = NOW,
        team: Team | None = None,
    ) -> None:
        team = team or cast.team
        if token is None:
            key = (name, mode, team.pk)
            if key not in tokens:
                tokens[key] = create_token(by=SITE, team=team, user=cast.user(name), name="laptop", mode=mode)[
                    0
                ]
            token = tokens[key]
        call = ReportedCall(
            request_id=f"{now.isoformat()}-{usd}-{name}", started_at=now, model="m", cost_nanos=nanos(usd)
        )
        assert record_calls([call], by=Caller(token=token), now=now).accepted == 1

    return record


@pytest.fixture
def subjects(mailoutbox: list[EmailMultiAlternatives]) -> Callable[..., list[tuple[str, str]]]:
    """Sends what is due; the subjects that went out since the last time, each with its reader's name."""

    def read(now: datetime = NOW) -> list[tuple[str, str]]:
        mailoutbox.clear()
        send_due(now=now)
        return sorted(
            (mail.to[0].partition("@")[0], mail.subject.removeprefix("Callboard: ")) for mail in mailoutbox
        )

    return read


def test_a_member_is_told_of_each_threshold_once(
    limit: Callable[..., None], spend: Callable[..., None], subjects: Callable[..., list[tuple[str, str]]]
) -> None:
    limit(Level.MEMBER, "10")
    told = []
    for number, usd in enumerate(["4.99", "0.01", "0", "3", "1.5", "0.5", "3"]):
        spend(usd, now=NOW + timedelta(seconds=number))
        told.append(alert_quotas(now=NOW + timedelta(seconds=number)))
    assert told == [0, 1, 0, 1, 1, 1, 0]
    assert subjects(NOW + timedelta(minutes=1)) == [
        ("mia", "100% of your quota in Harbour Research is used"),
        ("mia", "50% of your quota in Harbour Research is used"),
        ("mia", "80% of your quota in Harbour Research is used"),
        ("mia", "95% of your quota in Harbour Research is used"),
    ]


def test_several_at_once_are_told_as_the_highest(
    limit: Callable[..., None], spend: Callable[..., None], subjects: Callable[..., list[tuple[str, str]]]
) -> None:
    limit(Level.MEMBER, "10")
    spend("9")
    assert alert_quotas(now=NOW) == 1
    assert subjects() == [("mia", "80% of your quota in Harbour Research is used")]
    assert alert_quotas(now=NOW) == 0


def test_who_subscribes_is_told_of_everybody_and_nobody_twice(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    subjects: Callable[..., list[tuple[str, str]]],
    subscribe: Callable[..., None],
) -> None:
    subscribe("owner", quotas=True)
    subscribe("administrator", alerts=True)
    limit(Level.MEMBER, "10")
    limit(Level.TEAM, "10")
    spend("8")
    assert alert_quotas(now=NOW) == 2
    assert subjects() == [
        ("mia", "80% of your quota in Harbour Research is used"),
        ("olivia", "80% of the quota of Mia in Harbour Research is used"),
        ("olivia", "80% of the quota of the team Harbour Research is used"),
    ]


def test_a_token_is_told_to_its_holder(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    token_of: Callable[..., tuple[Token, str]],
    subjects: Callable[..., list[tuple[str, str]]],
) -> None:
    token, _secret = token_of("member")
    limit(Level.TOKEN, "1", token=token)
    spend("1", token=token)
    assert alert_quotas(now=NOW) == 1
    assert subjects() == [("mia", "100% of the quota of your token laptop in Harbour Research is used")]


def test_a_revoked_token_is_not(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, _secret = token_of("member")
    limit(Level.TOKEN, "1", token=token)
    spend("1", token=token)
    revoke_token(by=Actor(cast.member), token=token, now=NOW)
    assert alert_quotas(now=NOW) == 0


def test_of_a_balance_its_owner_is_told_wherever_the_calls_were_made(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    subjects: Callable[..., list[tuple[str, str]]],
) -> None:
    limit(Level.OWNER, "10")
    spend("6")
    spend("2.5", name="owner", team=payer_of(cast.team))
    assert alert_quotas(now=NOW) == 1
    assert subjects() == [("olivia", "80% of your balance is used")]
    body = Message.objects.get().body
    assert "/me/" in body
    assert "/t/olivia" in body  # her personal space, where she chooses


def test_a_balance_is_nobody_elses_business(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    subjects: Callable[..., list[tuple[str, str]]],
    subscribe: Callable[..., None],
    hook: Callable[..., Webhook],
    receiver: Receiver,
) -> None:
    subscribe("administrator", quotas=True)
    hook(receiver.url)
    limit(Level.OWNER, "10")
    spend("9")
    alert_quotas(now=NOW)
    assert [name for name, _subject in subjects()] == ["olivia"]
    assert receiver.got == []


def test_without_a_mail_server_webhooks_are_told_and_no_mail_waits(
    limit: Callable[..., None],
    spend: Callable[..., None],
    hook: Callable[..., Webhook],
    receiver: Receiver,
    settings: Settings,
) -> None:
    settings.HAS_MAIL = False
    hook(receiver.url)
    limit(Level.MEMBER, "10")
    spend("8")
    assert alert_quotas(now=NOW) == 1
    assert send_due(now=NOW) == Message.objects.count() == 1


def test_what_nobody_could_be_told_is_told_when_somebody_can(
    limit: Callable[..., None],
    spend: Callable[..., None],
    subjects: Callable[..., list[tuple[str, str]]],
    settings: Settings,
) -> None:
    settings.HAS_MAIL = False
    limit(Level.MEMBER, "10")
    spend("8")
    assert alert_quotas(now=NOW) == 0
    assert not ThresholdAlert.objects.exists()
    settings.HAS_MAIL = True
    assert [alert_quotas(now=NOW), alert_quotas(now=NOW)] == [1, 0]
    assert subjects() == [("mia", "80% of your quota in Harbour Research is used")]


def test_who_does_not_want_their_own_is_not_told(
    limit: Callable[..., None],
    spend: Callable[..., None],
    subjects: Callable[..., list[tuple[str, str]]],
    subscribe: Callable[..., None],
) -> None:
    subscribe("member", own_quotas=False)
    limit(Level.MEMBER, "10")
    spend("8")
    assert alert_quotas(now=NOW) == 1
    assert subjects() == []


def test_a_raised_limit_starts_afresh_and_a_lowered_one_repeats_nothing(
    limit: Callable[..., None], spend: Callable[..., None], subjects: Callable[..., list[tuple[str, str]]]
) -> None:
    limit(Level.MEMBER, "10")
    spend("8")
    assert alert_quotas(now=NOW) == 1
    limit(Level.MEMBER, "9")  # 88 %: 80 was told
    assert alert_quotas(now=NOW) == 0
    limit(Level.MEMBER, "8")  # 100 %
    assert alert_quotas(now=NOW) == 1
    limit(Level.MEMBER, "20")  # 40 %
    assert alert_quotas(now=NOW) == 0
    spend("9", now=NOW + timedelta(seconds=1))  # 85 % of 20
    assert alert_quotas(now=NOW) == 1
    limit(Level.MEMBER, "8")  # told before
    assert alert_quotas(now=NOW) == 0


def test_the_next_period_is_told_again(limit: Callable[..., None], spend: Callable[..., None]) -> None:
    limit(Level.MEMBER, "10", Period.DAY)
    spend("8")
    assert alert_quotas(now=NOW) == 1
    tomorrow = NOW + timedelta(days=1)
    assert alert_quotas(now=tomorrow) == 0
    spend("8", now=tomorrow)
    assert alert_quotas(now=tomorrow) == 1


def test_a_quota_that_never_resets_is_told_once_for_ever(
    limit: Callable[..., None], spend: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "10", Period.NONE)
    spend("8", now=NOW - timedelta(days=3))
    assert [alert_quotas(now=NOW + timedelta(days=days)) for days in (0, 1, 400)] == [1, 0, 0]
    assert ThresholdAlert.objects.get().threshold == 80


@pytest.mark.parametrize(("used", "told"), [("7.999999999", 50), ("8", 80), ("9.499999999", 80), ("9.5", 95)])
def test_a_threshold_is_reached_to_the_nano_dollar(
    limit: Callable[..., None], spend: Callable[..., None], used: str, told: int
) -> None:
    limit(Level.MEMBER, "10")
    spend(used)
    alert_quotas(now=NOW)
    assert ThresholdAlert.objects.get().threshold == told


def test_a_limit_of_nothing_is_no_news_until_something_is_charged(
    limit: Callable[..., None], spend: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "0")
    assert alert_quotas(now=NOW) == 0
    spend("0.01")
    assert alert_quotas(now=NOW) == 1


def test_test_mode_is_not_told(limit: Callable[..., None], spend: Callable[..., None]) -> None:
    limit(Level.MEMBER, "10")
    spend("10", mode=Mode.TEST)
    assert alert_quotas(now=NOW) == 0


def test_a_team_chooses_its_thresholds(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    subjects: Callable[..., list[tuple[str, str]]],
) -> None:
    set_thresholds(by=Actor(cast.administrator), team=cast.team, percents=[120, 33])
    limit(Level.MEMBER, "10")
    for number, usd in enumerate(["3.2", "0.1", "6.7", "2"]):
        spend(usd, now=NOW + timedelta(seconds=number))
        alert_quotas(now=NOW)
    assert sorted(ThresholdAlert.objects.values_list("threshold", flat=True)) == [33, 120]
    set_thresholds(by=Actor(cast.administrator), team=cast.team, percents=[])
    spend("90", now=NOW + timedelta(minutes=1))
    assert alert_quotas(now=NOW) == 0


def test_a_deleted_team_is_silent(cast: Cast, limit: Callable[..., None], spend: Callable[..., None]) -> None:
    limit(Level.MEMBER, "10")
    spend("9")
    cast.team.deleted_at = NOW
    cast.team.save()
    assert alert_quotas(now=NOW) == 0


def test_webhooks_get_figures_for_programs(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    hook: Callable[..., Webhook],
    receiver: Receiver,
) -> None:
    hook(receiver.url)
    limit(Level.MEMBER, "10")
    spend("8.5")
    alert_quotas(now=NOW)
    send_due(now=NOW)
    body = receiver.got[0][2].decode()
    for part in (
        '"threshold_percent": 80',
        '"used_usd": "8.50"',
        '"limit_usd": "10.00"',
        '"level": "member"',
        f'"id": "{cast.member.public_id}"',
        '"resets_at": "2026-11-30T23:00:00+00:00"',
        "80% of the quota of Mia in Harbour Research is used. $8.50 of $10.00 used this month.",
    ):
        assert part in body


@pytest.mark.parametrize("level", [Level.MEMBER, Level.TEAM, Level.TOKEN])
def test_the_link_leads_to_exactly_the_calls_that_were_charged(
    cast: Cast,
    limit: Callable[..., None],
    spend: Callable[..., None],
    token_of: Callable[..., tuple[Token, str]],
    hook: Callable[..., Webhook],
    receiver: Receiver,
    client_of: Callable[..., Client],
    level: Level,
) -> None:
    """What the logs sum up there is what the alert says was used."""
    hook(receiver.url)
    token, _secret = token_of("member")
    spend("5", now=NOW - timedelta(days=30), token=token)  # last month
    spend("1", name="administrator")
    spend("0.5", now=NOW - timedelta(seconds=1))
    spend("8.5", token=token)
    limit(level, "10", token=token)
    assert alert_quotas(now=NOW) == 1
    data = json.loads(Message.objects.get(webhook__isnull=False).body)
    expected = {Level.MEMBER: "9.00", Level.TEAM: "10.00", Level.TOKEN: "8.50"}[level]
    assert data["data"]["used_usd"] == expected
    client: Client = client_of("owner")
    page = client.get(data["url"].partition("8000")[2])
    assert page.context["page"].total.cost_nanos == nanos(expected)
    assert f"${expected}" in page.content.decode()
    listed = client.get(f"/t/{cast.team.slug}/alerts/").content.decode()
    assert f'href="{data["url"].replace("&", "&amp;")}"' in listed


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_two_at_once_tell_once(cast: Cast, limit: Callable[..., None], spend: Callable[..., None]) -> None:
    for level in (Level.MEMBER, Level.TEAM, Level.OWNER):
        limit(level, "10")
    spend("9")
    barrier, told = threading.Barrier(6), []

    def look() -> None:
        barrier.wait()
        try:
            told.append(alert_quotas(now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(told) == ThresholdAlert.objects.count() == 3
    assert Message.objects.count() == 2  # to Mia, and to Olivia of her balance


def test_hundreds_of_quotas_cost_few_queries(
    cast: Cast, limit: Callable[..., None], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    limit(Level.MEMBER, "10")
    for number in range(40):
        token, _secret = create_token(by=SITE, team=cast.team, user=cast.member, name=str(number))
        limit(Level.TOKEN, "10", token=token)
    with django_assert_max_num_queries(4):
        assert alert_quotas(now=NOW) == 0


def test_a_balance_of_staffs_own_choice_is_told_in_the_owners_zone(
    cast: Cast, spend: Callable[..., None]
) -> None:
    """The period of a balance is that of the personal space, whatever the team's zone."""
    set_balance(by=SITE, space=payer_of(cast.team), limit=Limit(Decimal(10), Period.DAY), now=NOW)
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # the 21st in Berlin, still the 20th in UTC
    spend("9", now=late)
    assert alert_quotas(now=late) == 1
    assert str(ThresholdAlert.objects.get().first_day) == "2026-11-20"
