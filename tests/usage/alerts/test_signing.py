"""The signature: a receiver that knows only the secret and the published rule can check it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from pytest_django import Settings

from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver
from usage.alerts.models import Event, Webhook
from usage.alerts.outbox import Alert, queue_for_webhooks, send_due
from usage.alerts.signing import headers_of, new_nonce, secret_of


def signature_by_the_book(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """As Standard Webhooks describes it, without anything of ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_the_signature_is_that_of_the_published_rule(hook: Callable[..., Webhook], receiver: Receiver) -> None:
    webhook = hook(receiver.url)
    headers = headers_of(webhook, "msg_1", 1_760_000_000, b'{"text": "h\xc3\xa4llo"}')
    assert headers["webhook-signature"] == signature_by_the_book(
        secret_of(webhook), "msg_1", "1760000000", b'{"text": "h\xc3\xa4llo"}'
    )


def test_secrets_are_long_and_differ_by_webhook_nonce_and_site(
    hook: Callable[..., Webhook], receiver: Receiver, settings: Settings
) -> None:
    one, other = hook(receiver.url), hook(receiver.url)
    secrets = [secret_of(one), secret_of(other)]
    one.nonce = new_nonce()
    secrets.append(secret_of(one))
    settings.TOKEN_HASH_KEY = "another site"
    secrets.append(secret_of(one))
    assert len(set(secrets)) == 4
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)


def test_neither_the_database_nor_the_log_of_activity_has_the_secret(
    hook: Callable[..., Webhook], receiver: Receiver, cast: Cast
) -> None:
    webhook = hook(receiver.url)
    secret = secret_of(webhook).removeprefix("whsec_")
    stored = [str(value) for value in type(webhook).objects.values().get().values()]
    assert not any(secret in value or value in secret for value in stored if len(value) > 8)
    row = cast.team.activity.order_by("-pk").first()
    assert row.kind == "webhook.created"
    assert row.after["address"] == f"http://127.0.0.1:{receiver.port}"
    assert "T0P-S3CRET" not in f"{row.before}{row.after}"


def test_the_check_in_the_documentation_takes_what_arrives_and_nothing_else(
    cast: Cast, hook: Callable[..., Webhook], receiver: Receiver, settings: Settings
) -> None:
    """The code of docs/webhooks.md, run on a message that a receiver got."""
    (code,) = re.findall(
        r"```python\n(.*?)```", (settings.BASE_DIR / "docs" / "webhooks.md").read_text(), re.DOTALL
    )
    given: dict[str, Any] = {}
    exec(code, given)  # noqa: S102  # our own documentation
    webhook, now = hook(receiver.url), timezone.now()
    queue_for_webhooks(cast.team, Alert(Event.QUOTA, "a", "ä", "https://callboard.example/"), [webhook], now)
    assert send_due(now=now) == 1
    ((_path, headers, body),) = receiver.got
    check, secret = given["is_genuine"], secret_of(webhook)
    assert check(secret, headers, body)
    assert not check(secret, headers, body + b" ")
    assert not check(secret, headers | {"webhook-id": "msg_other"}, body)
    assert not check(secret_of(hook(receiver.url)), headers, body)
    old = str(int(now.timestamp()) - 301)
    assert not check(secret, headers | headers_of(webhook, headers["webhook-id"], int(old), body), body)
