"""Sign-in by the site's OpenID Connect provider: decides who may sign in, and verifies the ID token.

django-allauth does the redirects. It does not check the signature of the ID token but relies on TLS, as OpenID
Connect Core 3.1.3.7 allows. Internal providers are often reached without TLS, so we check the signature.
"""

import logging
from typing import Any

import jwt
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render

from config.addresses import client_address
from teams.account_adapter import invited_address
from teams.actions.users import set_up_user
from teams.activity import Actor
from teams.models import User

logger = logging.getLogger(__name__)

ASYMMETRIC = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA"]


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The adapter of django-allauth for accounts at the provider.

    It applies the same rules as the sign-up form.
    """

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Sets the name of the new user, and whether their e-mail addresses are verified, as the provider says.

        Some providers send booleans as text, so "false" must not count as true.
        """
        user: User = super().populate_user(request, sociallogin, data)
        user.name = " ".join(str(data.get("name") or "").split())[:100]
        for address in sociallogin.email_addresses:
            address.verified = str(address.verified).lower() == "true"
        return user

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """Returns the account with the provider's e-mail address, or None if somebody else may have used it."""
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        return found if found and _is_surely_of(*found) else None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Refuses a sign-in with an address that already has an account not connected to the provider, because
        that account may be somebody else's.
        """
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        for address in sociallogin.email_addresses:
            if address.verified and _has_account(address.email):
                raise _refusal(request, sociallogin, "connect", address.email)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether people may sign up by the provider. The setting is the same as for the sign-up form.

        If the browser has opened an invitation by e-mail, only its address may sign up; others get a page with
        the reason.
        """
        addresses = {address.email.lower() for address in sociallogin.email_addresses}
        invited = invited_address(request)
        if invited and addresses and invited.lower() not in addresses:
            raise _refusal(request, sociallogin, "invited", invited)
        return bool(super().is_open_for_signup(request, sociallogin))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **more: Any
    ) -> None:
        """Logs why signing in failed. django-allauth then shows a page that says what to do."""
        logger.warning("Signing in by %s failed: %s %r", provider.name, error, exception)

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        if not user.owned_teams.filter(is_personal=True).exists():
            set_up_user(by=Actor(user, client_address(request)), user=user)
        return user


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """Checks the signature and audience of the ID token, and that the user info is about the same person."""

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **answer: Any
    ) -> SocialLogin:
        claims = self._checked_claims(app, answer["response"].get("id_token", ""))
        userinfo = self._fetch_user_info(token.token)
        if userinfo.get("sub") != claims["sub"]:
            raise OAuth2Error("The user info is about somebody else than the ID token")
        data = {"userinfo": userinfo, "id_token": claims}
        return self.get_provider().sociallogin_from_response(request, data)

    def _checked_claims(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """Returns the claims of the ID token.

        Raises OAuth2Error if its signature, expiry, issuer or audience is wrong.
        """
        try:
            algorithm = jwt.get_unverified_header(id_token)["alg"]
            # A public key must never be used as a shared secret: that is a known way to forge tokens.
            by_secret = algorithm in {"HS256", "HS384", "HS512"}
            claims: dict[str, Any] = jwt.decode(
                id_token,
                app.secret if by_secret else self._key_of(id_token),
                algorithms=[algorithm] if by_secret else ASYMMETRIC,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                options={"require": ["exp", "iat", "sub"]},
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise OAuth2Error(f"The ID token cannot be believed: {error}") from error
        return claims

    def _key_of(self, id_token: str) -> jwt.PyJWK:
        """Returns the provider's public key that the ID token names, or the only key if it names none."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
        answer.raise_for_status()
        keys = [
            key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key.public_key_use in {None, "sig"}
        ]
        named = jwt.get_unverified_header(id_token).get("kid")
        found = [key for key in keys if named in {None, key.key_id}]
        if len(found) != 1:
            raise jwt.InvalidKeyError(f"the provider has {len(found)} keys for it")
        return found[0]


def _is_surely_of(user: User, email: str) -> bool:
    """Whether nobody but the person with this e-mail address can have used the account.

    That is certain if the address was verified by e-mail. Without a mail server an address counts as verified
    if somebody signed up with an invitation for it, and the person who invited may have done so. Then it is
    certain only if the account has neither a password nor a second factor.
    """
    if not EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists():
        return False
    has_key = user.has_usable_password() or Authenticator.objects.filter(user=user).exists()
    return settings.HAS_MAIL or not has_key


def _has_account(email: str) -> bool:
    by_mail = EmailAddress.objects.filter(email__iexact=email, verified=True)
    return User.objects.filter(email__iexact=email).exists() or by_mail.exists()


def _refusal(request: HttpRequest, sociallogin: SocialLogin, reason: str, email: str) -> ImmediateHttpResponse:
    context = {"provider": sociallogin.provider, "reason": reason, "email": email}
    return ImmediateHttpResponse(render(request, "socialaccount/refused.html", context, status=403))
