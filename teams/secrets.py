"""Creates the secrets of tokens, gateway keys and invitations, and the keyed hashes that are stored."""

import hashlib
import hmac
import secrets
import string

from django.conf import settings

from teams.models import Mode

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 40  # of 62 characters: 238 bits, far beyond guessing
_SHOWN = 4  # characters of the random part that lists show

TOKEN_PREFIXES = {Mode.LIVE: "cb_live_", Mode.TEST: "cb_test_"}
GATEWAY_PREFIX = "cb_gw_"
INVITATION_PREFIX = "cb_inv_"


def new_secret(prefix: str) -> str:
    """Returns a new secret: `prefix` and 40 random letters and digits.

    Callers show it once and store its `digest`.
    """
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest(secret: str) -> str:
    """Returns the keyed hash (HMAC-SHA256, hexadecimal) under which a secret is stored and found.

    Finding a row by its hash never compares the secret itself, so the time it takes reveals nothing about the
    secret.
    """
    return hmac.new(
        settings.TOKEN_HASH_KEY.encode(), secret.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def shown_prefix(secret: str) -> str:
    """Returns the part of a secret that lists show: prefix and 4 random characters, as in `cb_live_4fN8`."""
    return secret[: secret.rindex("_") + 1 + _SHOWN]
