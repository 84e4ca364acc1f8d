"""The real server without cron: a quota that is used up reaches a webhook by itself, and a stop is a stop."""

import json
import time
from pathlib import Path

import pytest

from tests.serving import Scratch, scratch_database, served
from tests.usage.alerts.receivers import Receiver

pytestmark = [pytest.mark.database, pytest.mark.slow]

SETUP = """
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from teams.activity import SITE, Actor
from teams.actions.teams import create_team
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from usage.quotas.actions.limits import Limit, set_team_quota
from usage.alerts.actions.webhooks import WebhookValues, create_webhook
from usage.alerts.models import Event
owner = create_user(email="olivia@example.org", password=None, verified=True)
team = create_team(by=SITE, owner=owner, name="Served")
set_team_quota(by=SITE, team=team, limit=Limit(Decimal(10)), now=timezone.now())
create_webhook(by=SITE, team=team, wanted=WebhookValues("chat", {url!r}, (Event.QUOTA,)))
print(create_token(by=SITE, team=team, user=owner, name="laptop")[1])
"""


def test_an_alert_arrives_within_a_minute_without_cron(tmp_path: Path, receiver: Receiver) -> None:
    with scratch_database(tmp_path) as scratch:
        scratch = Scratch(scratch.url, {**scratch.environment, "CALLBOARD_WEBHOOKS_MAY_BE_PRIVATE": "1"})
        secret = scratch.manage("shell", "-v0", "-c", SETUP.format(url=receiver.url))
        with served(scratch) as process:
            call = {
                "request_id": "a",
                "model": "m",
                "cost_usd": "8.50",
                "started_at": time.strftime("%FT%TZ", time.gmtime()),
            }
            status, answer = scratch.post(secret, call)
            assert (status, answer["accepted"]) == (200, 1)
            end = time.monotonic() + 60
            while not receiver.got and time.monotonic() < end:
                time.sleep(0.2)
            process.terminate()
            assert process.wait(30) == 0
    ((_path, _headers, body),) = receiver.got
    assert json.loads(body)["data"]["threshold_percent"] == 80
