"""Every address of django-allauth: what it takes, and what it answers to whom."""

from hashlib import sha256
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.urls import get_resolver, reverse
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from teams.models import User

# The status for somebody signed out, and for somebody signed in who has an authenticator app, a passkey
# and recovery codes. 302 leads to signing in, or on, because there is nothing to do.
ACCOUNT_PAGES: dict[str, tuple[int, int]] = {
    "account_change_password": (302, 200),
    "account_confirm_email": (200, 200),
    "account_confirm_login_code": (302, 302),
    "account_email": (302, 200),
    "account_email_verification_sent": (200, 200),
    "account_inactive": (200, 200),
    "account_login": (200, 302),
    "account_logout": (302, 200),
    "account_reauthenticate": (302, 200),
    "account_reset_password": (200, 200),
    "account_reset_password_done": (200, 200),
    "account_reset_password_from_key": (200, 200),
    "account_reset_password_from_key_done": (200, 200),
    "account_set_password": (302, 302),
    "account_signup": (200, 302),
    "mfa_activate_totp": (302, 302),
    "mfa_add_webauthn": (302, 200),
    "mfa_authenticate": (302, 302),
    "mfa_deactivate_totp": (302, 200),
    "mfa_download_recovery_codes": (302, 200),
    "mfa_edit_webauthn": (302, 200),
    "mfa_generate_recovery_codes": (302, 200),
    "mfa_index": (302, 200),
    "mfa_list_webauthn": (302, 200),
    "mfa_login_webauthn": (302, 302),
    "mfa_reauthenticate": (302, 200),
    "mfa_reauthenticate_webauthn": (302, 200),
    "mfa_remove_webauthn": (302, 200),
    "mfa_view_recovery_codes": (302, 200),
    "openid_connect_callback": (401, 401),
    "openid_connect_login": (200, 200),
    "socialaccount_connections": (302, 200),
    "socialaccount_login_cancelled": (200, 200),
    "socialaccount_login_error": (302, 401),
    "socialaccount_signup": (302, 302),
    "usersessions_list": (302, 200),
}
NOT_HTML = {"mfa_download_recovery_codes"}
OPENID_CONNECT = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "oidc",
                "name": "Harbour",
                "client_id": "callboard",
                "secret": "secret",
                "settings": {"server_url": "https://idp.invalid"},
            }
        ]
    }
}


def names_of_allauth() -> set[str]:
    return {name for name in get_resolver("allauth.urls").reverse_dict if isinstance(name, str)}


def account_url(name: str, passkey_id: int = 1) -> str:
    arguments: dict[str, list[Any]] = {
        "account_confirm_email": ["outdated"],
        "account_reset_password_from_key": ["1", "outdated"],
        "mfa_edit_webauthn": [passkey_id],
        "mfa_remove_webauthn": [passkey_id],
        "openid_connect_callback": ["oidc"],
        "openid_connect_login": ["oidc"],
    }
    return reverse(name, args=arguments.get(name, []))


def add_second_factors(user: User) -> int:
    """An authenticator app, recovery codes and a passkey; the id of the passkey."""
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    data = {"name": "Laptop", "credential": registered_credential(), "passwordless": True}
    return Authenticator.objects.create(user=user, type="webauthn", data=data).pk


def registered_credential(challenge: str = "") -> dict[str, Any]:
    """What a browser sends when it has made a passkey; `challenge` as the page gave it, in its own letters."""
    key = ES256.from_cryptography_key(generate_private_key(SECP256R1()).public_key())  # type: ignore[no-untyped-call]
    credential = AttestedCredentialData.create(Aaguid(bytes(16)), b"passkey", key)
    site = sha256(b"testserver").digest()
    flags = AuthenticatorData.FLAG.AT | AuthenticatorData.FLAG.UP
    data = AuthenticatorData.create(site, flags, 0, credential)
    asked = websafe_decode(challenge) if challenge else b"challenge"
    client_data = CollectedClientData.create(CollectedClientData.TYPE.CREATE, asked, "http://testserver")
    return {
        "id": websafe_encode(b"passkey"),
        "rawId": websafe_encode(b"passkey"),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
    }
