"""The secret of a webhook, and the signature by which a receiver knows that a message is authentic and fresh.

Headers and signature follow Standard Webhooks (standardwebhooks.com), for which receivers have libraries in
most languages.
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
    """A random value; changing it changes the secret."""
    return secrets.token_hex(16)


def secret_of(webhook: Webhook) -> str:
    """The secret, as its receiver needs it: `whsec_` and 32 bytes in base64.

    Derived from the site's key, so that nobody can sign with the database, or a copy of it, alone.
    """
    return _PREFIX + base64.b64encode(_key(webhook)).decode()


def headers_of(webhook: Webhook, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign a body. The receiver refuses an old `timestamp` (Unix seconds)."""
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
