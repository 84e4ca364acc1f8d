"""Anomalies by webhook: once for each, also where nobody wants mails."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache

from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver
from tests.usage.anomalies.conftest import LUNCH, happen, runaway, tokens, usual  # noqa: F401
from usage.alerts.anomalies import alert_anomalies
from usage.alerts.models import Event, Webhook
from usage.alerts.outbox import send_due

SOON = LUNCH + timedelta(minutes=70)


@pytest.fixture(autouse=True)
def nothing_kept(db: None) -> None:
    cache.clear()


def test_an_episode_is_posted_once_with_its_causes_and_a_link(
    cast: Cast,
    runaway: None,  # noqa: F811
    hook: Callable[..., Webhook],
    receiver: Receiver,
) -> None:
    hook(receiver.url)
    assert [alert_anomalies(now=SOON + timedelta(hours=hour)) for hour in range(3)] == [1, 0, 0]
    send_due(now=SOON)
    (body,) = [json.loads(body) for _path, _headers, body in receiver.got]
    assert body["type"] == "usage.unusual"
    assert body["text"].startswith("Anomaly in Harbour Research: 12:00 Thu: 1,02")
    assert "/t/harbour-research/logs/?from=2026-11-19T12%3A00" in body["url"]
    assert {cause["dimension"] for cause in body["data"]["causes"]} >= {"member", "token"}


def test_a_webhook_of_other_events_hears_nothing(
    runaway: None,  # noqa: F811
    hook: Callable[..., Webhook],
    receiver: Receiver,
) -> None:
    hook(receiver.url, events=(Event.QUOTA,))
    assert alert_anomalies(now=SOON) == 0
    send_due(now=SOON)
    assert receiver.got == []
