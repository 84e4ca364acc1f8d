"""Messages on their way: signed, tried again, given up, never lost, never sent by two at once."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from pytest_django import Settings

from teams.models import Activity
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver, receiving
from tests.usage.alerts.test_signing import signature_by_the_book
from tests.usage.conftest import NOW
from usage.alerts import outbox
from usage.alerts.models import Event, Message, Webhook
from usage.alerts.outbox import BACK_OFF, Alert, queue_for_webhooks, queue_mail, send_due
from usage.alerts.signing import secret_of

ALERT = Alert(Event.QUOTA, "80% used", "80% of <Mia> & co.", "https://callboard.example/t/x/?a=1&b=2", {"n": 1})


@pytest.fixture
def tell(cast: Cast, hook: Callable[..., Webhook]) -> Callable[..., Message]:
    """`tell(receiver)`: an alert on its way to it."""

    def make(receiver: Receiver, name: str = "chat", now: datetime = NOW) -> Message:
        (message,) = queue_for_webhooks(cast.team, ALERT, [hook(receiver.url, name=name)], now)
        return message

    return make


def test_it_arrives_signed_with_a_text_that_slack_shows(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    message = tell(receiver)
    assert send_due(now=NOW) == 1
    ((_path, headers, body),) = receiver.got
    assert headers["webhook-id"] == message.public_id
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"] == signature_by_the_book(
        secret_of(message.webhook), message.public_id, headers["webhook-timestamp"], body
    )
    assert json.loads(body) == {
        "type": "quota.threshold",
        "timestamp": "2026-11-20T12:00:00+00:00",
        "team": "harbour-research",
        "text": "80% of &lt;Mia&gt; &amp; co.\nhttps://callboard.example/t/x/?a=1&b=2",
        "url": "https://callboard.example/t/x/?a=1&b=2",
        "data": {"n": 1},
    }
    message.refresh_from_db()
    assert (message.state, message.attempts, message.response_status, message.error) == (
        "delivered",
        1,
        200,
        "",
    )
    assert send_due(now=NOW + timedelta(days=1)) == 0


def test_500_and_then_200_is_delivered_a_minute_later_under_the_same_id(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    receiver.statuses = [500, 200]
    message = tell(receiver)
    assert send_due(now=NOW) == 0
    message.refresh_from_db()
    assert (message.state, message.response_status, message.error) == (
        "pending",
        500,
        "The receiver answered 500.",
    )
    assert send_due(now=NOW + timedelta(seconds=59)) == 0
    assert send_due(now=NOW + timedelta(seconds=60)) == 1
    assert len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("delivered", 2, "")
    assert Webhook.objects.get().failing_since is None


def test_one_that_always_fails_is_tried_six_times_and_given_up(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    receiver.statuses = [503]
    message, at = tell(receiver), NOW
    for number, wait in enumerate([*BACK_OFF, timedelta(days=1)], start=1):
        send_due(now=at)
        assert len(receiver.got) == number
        at += wait
    send_due(now=at)
    message.refresh_from_db()
    assert (len(receiver.got), message.state, message.attempts) == (6, "failed", 6)


def test_a_receiver_that_fails_is_left_alone_and_holds_up_nobody(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    with receiving(Receiver(statuses=[500])) as broken:
        first = tell(broken, name="broken")
        queue_for_webhooks(first.team, ALERT, [first.webhook], NOW)
        tell(receiver)
        assert send_due(now=NOW) == 1
        assert (len(broken.got), len(receiver.got)) == (1, 1)


def test_a_mail_goes_out_and_a_mail_server_that_is_down_holds_up_no_webhook(
    tell: Callable[..., Message],
    cast: Cast,
    receiver: Receiver,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    for name in ("a", "b"):
        queue_mail(cast.team, Event.QUOTA, f"{name}@example.org", "Hello", "text", "<p>html</p>", NOW)
    tell(receiver)
    settings.HAS_MAIL = False
    assert send_due(now=NOW) == 1
    assert sorted(Message.objects.filter(webhook=None).values_list("attempts", flat=True)) == [0, 1]
    settings.HAS_MAIL = True
    assert send_due(now=NOW + timedelta(minutes=1)) == 2
    assert sorted(mail.to[0] for mail in mailoutbox) == ["a@example.org", "b@example.org"]
    assert mailoutbox[0].alternatives[0][0] == "<p>html</p>"


def test_a_sender_that_died_between_taking_and_noting_loses_nothing_and_repeats_once(
    tell: Callable[..., Message], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = tell(receiver)

    def die(*_arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "attempt", die)
        with pytest.raises(SystemExit):
            send_due(now=NOW)
    assert send_due(now=NOW + timedelta(minutes=1)) == 0  # it might still be at it
    assert send_due(now=NOW + timedelta(minutes=2)) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts, len(receiver.got)) == ("delivered", 2, 1)


def test_a_webhook_that_was_switched_off_gets_nothing_that_waits(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    message = tell(receiver)
    Webhook.objects.update(is_active=False)
    assert send_due(now=NOW) == 0
    message.refresh_from_db()
    assert (message.state, message.error, receiver.got) == ("failed", "The webhook was switched off.", [])


def test_one_that_says_it_is_gone_is_switched_off_at_once(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    receiver.statuses = [410]
    tell(receiver)
    send_due(now=NOW)
    webhook = Webhook.objects.get()
    assert (webhook.is_active, webhook.stopped_because) == (
        False,
        "The receiver answered 410 (gone).",
    )
    row = Activity.objects.order_by("-pk").first()
    assert (row.kind, row.actor, row.subject) == ("webhook.stopped", None, "chat")


def test_one_that_only_fails_for_three_days_is_switched_off(
    tell: Callable[..., Message], receiver: Receiver
) -> None:
    receiver.statuses = [500]
    message = tell(receiver)
    send_due(now=NOW)
    queue_for_webhooks(message.team, ALERT, [message.webhook], NOW + timedelta(days=2))
    send_due(now=NOW + timedelta(days=2))
    assert Webhook.objects.get().is_active
    send_due(now=NOW + timedelta(days=3))
    webhook = Webhook.objects.get()
    assert (webhook.is_active, webhook.stopped_because) == (False, "Every attempt failed for 3 days.")


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_eight_senders_at_once_send_each_message_once(tell: Callable[..., Message], receiver: Receiver) -> None:
    webhook = tell(receiver).webhook
    queue_for_webhooks(webhook.team, ALERT, [webhook] * 19, NOW)
    barrier, delivered = threading.Barrier(8), []

    def send() -> None:
        barrier.wait()
        try:
            delivered.append(send_due(now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(delivered) == 20
    assert len(receiver.got) == len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 20
