"""The weekly digest: who gets it, when, and what it says."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import Settings

from teams.activity import Actor
from teams.errors import NotAllowedError
from teams.models import Activity, Membership, Role
from tests.conftest import Cast
from tests.usage.anomalies.conftest import NOW, happen, runaway, tokens, usual  # noqa: F401
from usage.alerts.actions.subscriptions import Subscriptions, set_subscriptions
from usage.alerts.digest import make_digest, send_digests
from usage.alerts.models import Message
from usage.alerts.outbox import send_due
from usage.anomalies.models import UsageMail
from usage.quotas.actions.limits import Limit, set_member_quota
from usage.rollups.weeks import Week

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Berlin
LAST_WEEK = Week(date(2026, 11, 16), ZoneInfo("Europe/Berlin"))


@pytest.fixture(autouse=True)
def nothing_kept(db: None, settings: Settings) -> None:
    cache.clear()
    settings.HAS_MAIL = True


@pytest.fixture
def subscribe(cast: Cast) -> Callable[..., UsageMail]:
    def want(name: str, at: datetime = NOW, **wishes: bool) -> UsageMail:
        wanted = Subscriptions(**{"digest": True, **wishes})
        return set_subscriptions(by=Actor(cast.user(name)), team=cast.team, wishes=wanted, now=at)

    return want


def test_nobody_gets_one_who_did_not_ask(runaway: None, mailoutbox: list[EmailMultiAlternatives]) -> None:  # noqa: F811
    assert send_digests(now=MONDAY) == 0
    assert mailoutbox == []


def test_it_tells_totals_ranking_the_unusual_and_quotas(
    cast: Cast,
    runaway: None,  # noqa: F811
    subscribe: Callable[..., UsageMail],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    set_member_quota(
        by=Actor(cast.owner), team=cast.team, user=cast.member, limit=Limit(Decimal("0.2")), now=NOW
    )
    subscribe("owner")
    assert send_digests(now=MONDAY) == send_due(now=MONDAY) == 1
    (mail,) = mailoutbox
    assert mail.to == ["olivia@example.org"]
    assert mail.subject == "Callboard: Harbour Research, week of 16 Nov"
    body, html = str(mail.body), str(mail.alternatives[0][0])
    for text in (body, html):
        assert "Members by calls" in text
        assert "12:00 Thu: 1,02" in text
        assert "/t/harbour-research/logs/?from=2026-11-19T12" in text
        assert "Quotas near their limit" in text
        assert "<span" not in body
    assert "1. Mia: 1," in body
    assert re.search(r"^Calls: 2,\d{3} \(1,\d{3} in the previous week, \+\d+\.\d%\)$", body, re.MULTILINE)
    assert re.search(
        r"^Cost: \$\d+\.\d\d \(\$\d+\.\d\d in the previous week, \+\d+\.\d%\)$", body, re.MULTILINE
    )
    assert re.search(
        r"^Success rate: \d+\.\d% \(\d+\.\d% in the previous week, [+−]\d\.\d points\)$",
        body,
        re.MULTILINE,
    )
    assert re.search(r"<td[^>]*>\+\d+\.\d%</td>", html)


def test_every_number_of_calls_leads_to_exactly_these(
    cast: Cast,
    runaway: None,  # noqa: F811
    subscribe: Callable[..., UsageMail],
    mailoutbox: list[EmailMultiAlternatives],
    client_of: Callable[..., Client],
) -> None:
    subscribe("owner")
    send_digests(now=MONDAY)
    send_due(now=MONDAY)
    html = str(mailoutbox[0].alternatives[0][0])
    links = re.findall(r'<a href="http://[^/"]+([^"]*/logs/[^"]*)">([\d,.]+)([^<]*)</a>', html)
    with time_machine.travel(MONDAY, tick=False):
        for address, number, unit in links:
            total = client_of("owner").get(address.replace("&amp;", "&")).context["page"].total
            if unit == "%":
                assert total.calls == total.failed > 0
            elif unit == "" and "sort=" not in address:
                assert f"{total.calls:,}" == number
            else:
                assert "sort=" in address
    assert len(links) == 2 * 5 + 3 - 2  # the costs begin with a $
    assert len(re.findall(r'sort=cost">\$', html)) == 2


def test_a_week_is_sent_once(
    runaway: None,  # noqa: F811
    subscribe: Callable[..., UsageMail],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    subscribe("owner")
    subscribe("administrator")
    assert [send_digests(now=MONDAY + timedelta(hours=hour)) for hour in range(3)] == [2, 0, 0]
    assert send_digests(now=MONDAY + timedelta(weeks=1)) == 2
    assert send_due(now=MONDAY + timedelta(weeks=1)) == len(mailoutbox) == 4


def test_it_waits_for_the_morning_of_the_team(usual: None, subscribe: Callable[..., UsageMail]) -> None:  # noqa: F811
    subscribe("owner")
    assert send_digests(now=MONDAY - timedelta(hours=4)) == 0
    assert send_digests(now=MONDAY) == 1


def test_the_first_one_comes_when_the_week_is_over(usual: None, subscribe: Callable[..., UsageMail]) -> None:  # noqa: F811
    subscribe("owner", at=NOW)
    assert send_digests(now=NOW) == 0
    assert send_digests(now=MONDAY) == 1


def test_without_a_mail_server_it_waits_for_one(
    usual: None,  # noqa: F811
    subscribe: Callable[..., UsageMail],
    settings: Settings,
) -> None:
    subscribe("owner")
    settings.HAS_MAIL = False
    assert send_digests(now=MONDAY) == 0
    settings.HAS_MAIL = True
    assert send_digests(now=MONDAY) == 1


def test_what_the_mail_server_refused_is_tried_again(
    usual: None,  # noqa: F811
    subscribe: Callable[..., UsageMail],
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    subscribe("owner")
    send_digests(now=MONDAY)
    settings.HAS_MAIL = False
    assert send_due(now=MONDAY) == 0
    assert Message.objects.get().error == "No mail server is configured."
    settings.HAS_MAIL = True
    assert send_due(now=MONDAY + timedelta(seconds=59)) == 0
    assert send_due(now=MONDAY + timedelta(minutes=1)) == 1
    assert len(mailoutbox) == 1


def test_who_is_no_longer_an_administrator_gets_none(
    cast: Cast,
    usual: None,  # noqa: F811
    subscribe: Callable[..., UsageMail],
) -> None:
    subscribe("administrator")
    Membership.objects.filter(user=cast.administrator, team=cast.team).update(role=Role.MEMBER)
    assert send_digests(now=MONDAY) == 0
    Membership.objects.filter(user=cast.administrator, team=cast.team).delete()
    assert not UsageMail.objects.exists()


def test_a_team_without_calls_sends_nothing(
    subscribe: Callable[..., UsageMail], mailoutbox: list[EmailMultiAlternatives]
) -> None:
    subscribe("owner")
    assert send_digests(now=MONDAY) == 0
    assert mailoutbox == []


def test_without_calls_there_are_no_members_by_calls(cast: Cast, client_of: Callable[..., Client]) -> None:
    with time_machine.travel(MONDAY, tick=False):
        page = client_of("owner").get(f"/t/{cast.team.slug}/digest/").content.decode()
    text = render_to_string(
        "usage/alerts/mail/digest.txt", {"digest": make_digest(cast.team, LAST_WEEK, MONDAY)}
    )
    for digest in (page, text):
        assert "Success rate" in digest
        assert "Members by calls" not in digest


def test_the_command_prints_how_many(cast: Cast, usual: None, subscribe: Callable[..., UsageMail]) -> None:  # noqa: F811
    subscribe("owner")
    out = StringIO()
    with time_machine.travel(MONDAY, tick=False):
        call_command("send_digest", "--team", cast.other_team.slug, stdout=out)
        call_command("send_digest", stdout=out)
    assert out.getvalue().split() == ["0", "1"]


@pytest.mark.parametrize("name", ["member", "former", "outsider"])
def test_only_owners_and_administrators_may_ask_for_it(subscribe: Callable[..., UsageMail], name: str) -> None:
    with pytest.raises(NotAllowedError):
        subscribe(name)


def test_a_choice_writes_one_row_and_the_same_again_none(
    cast: Cast, subscribe: Callable[..., UsageMail]
) -> None:
    subscribe("owner")
    row = Activity.objects.order_by("-id").first()
    assert row.kind == "alert.mail_changed"
    assert row.after == {
        "digest": True,
        "alerts": False,
        "quotas": False,
        "refusals": False,
        "own_quotas": True,
    }
    rows = Activity.objects.count()
    subscribe("owner")
    assert Activity.objects.count() == rows


def test_the_page_previews_it(cast: Cast, usual: None, client_of: Callable[..., Client]) -> None:  # noqa: F811
    with time_machine.travel(MONDAY, tick=False):
        page = client_of("administrator").get(f"/t/{cast.team.slug}/digest/").content.decode()
    assert "Harbour Research, week of 16 Nov" in page
