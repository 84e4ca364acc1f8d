"""Derives the secret of a webhook, and signs messages with it.

The signature proves to the receiver that a message is authentic and recent. Headers and signature follow
Standard Webhooks (standardwebhooks.com), for which receivers have libraries in most languages.
"""

import base64
import hashlib
import hmac
import secrets

from django.conf import settings
from django.utils.crypto import salted_hmac

from usage.alerts.models import Webhook

_PREFIX = "whsec_"


def new_nonce() -> str:
    """Returns a random value for a new secret.

    A webhook's secret is derived from it (among other values), so changing the nonce changes the secret.
    """
    return secrets.token_hex(16)


def secret_of(webhook: Webhook) -> str:
    """Returns the webhook's secret in the form that receivers need: `whsec_` and 32 bytes in base64.

    It is derived from the site's key, so nobody can sign messages with only the database or a copy of it.
    """
    return _PREFIX + base64.b64encode(_key(webhook)).decode()


def headers_of(webhook: Webhook, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Returns the HTTP headers that sign the body of a message.

    `timestamp` (Unix seconds) lets the receiver refuse old messages.
    """
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    signature = base64.b64encode(hmac.new(_key(webhook), signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _key(webhook: Webhook) -> bytes:
    value = f"{webhook.public_id}:{webhook.nonce}"
    return salted_hmac("usage.webhook", value, secret=settings.TOKEN_HASH_KEY, algorithm="sha256").digest()
