"""Public ids: random ids by which URLs and the API name a row, instead of its primary key."""

from django.utils.crypto import get_random_string

PUBLIC_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def public_id(prefix: str) -> str:
    """Returns a new random public id that starts with `prefix`, such as `tok_3k9x0c2m7q1z`."""
    return f"{prefix}_{get_random_string(12, PUBLIC_ALPHABET)}"


def user_public_id() -> str:
    return public_id("usr")


def token_public_id() -> str:
    return public_id("tok")


def gateway_key_public_id() -> str:
    return public_id("key")


def invitation_public_id() -> str:
    return public_id("inv")


def transfer_public_id() -> str:
    return public_id("trf")
