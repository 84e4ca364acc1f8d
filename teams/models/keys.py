"""API tokens and gateway keys."""

from datetime import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models.choices import Mode
from teams.models.ids import gateway_key_public_id, token_public_id
from teams.models.teams import Team, team_is_alive
from teams.models.users import User

AnySecret = TypeVar("AnySecret", bound="Secret", covariant=True)


def key_is_unrevoked(path: str) -> Q:
    """Returns a condition for rows that refer to a token or gateway key: the key is not revoked.

    `path` is the name of the relation to the key.
    """
    return Q(**{f"{path}__revoked_at": None})


class SecretQuerySet(QuerySet[AnySecret]):
    """Tokens or gateway keys, filtered by their state. `Secret.state` says the state of one key."""

    def unrevoked(self) -> Self:
        """Returns the keys that are not revoked; some of them may be disabled or expired."""
        return self.filter(revoked_at=None)

    def in_state(self, state: str, now: datetime) -> Self:
        """Returns the keys in one state at `now`: `active`, `disabled`, `expired` or `revoked`."""
        if state == "revoked":
            return self.exclude(revoked_at=None)
        unrevoked = self.unrevoked()
        if state == "disabled":
            return unrevoked.exclude(disabled_at=None)
        enabled = unrevoked.filter(disabled_at=None)
        if state == "expired":
            return enabled.filter(expires_at__lte=now)
        return enabled.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class TokenQuerySet(SecretQuerySet["Token"]):
    """API tokens, filtered by their state and by whether the API accepts them."""

    def working(self, now: datetime) -> Self:
        """Returns the tokens that the API accepts at `now`.

        They are active, their holder is an active user and a member of the team, and the team is not deleted.
        `teams.credentials.refusal_of` makes the same decision about one token.
        """
        is_member = Q(team__memberships__user=F("user"))
        return self.in_state("active", now).filter(is_member, team_is_alive(), user__is_active=True)


class GatewayKeyQuerySet(SecretQuerySet["GatewayKey"]):
    """Gateway keys, filtered by their state."""


class Secret(models.Model):
    """Base of API tokens and gateway keys. Their secret is shown once, and only a hash of it is stored."""

    name = models.CharField(_("name"), max_length=100)
    # The first characters of the secret, by which people recognise a key in lists. The rest cannot be guessed.
    prefix = models.CharField(max_length=24, editable=False)
    # HMAC-SHA256 of the secret. The unique index is what API requests look keys up by.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def state(self, now: datetime) -> str:
        """Returns `active`, `revoked`, `disabled` or `expired`, as of `now`.

        The API accepts only active keys.
        """
        if self.revoked_at:
            return "revoked"
        if self.disabled_at:
            return "disabled"
        return "expired" if self.expires_at and self.expires_at <= now else "active"


class Token(Secret):
    """A member's API token. The calls that are made with it count in its team."""

    public_id = models.CharField(max_length=24, unique=True, default=token_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    mode = models.SmallIntegerField(choices=Mode.choices, default=Mode.LIVE)
    # The models that this token may call; empty allows all. Reservations check it, and gateways can read it.
    models = models.JSONField(default=list, blank=True)

    objects = TokenQuerySet.as_manager()


class GatewayKey(Secret):
    """A key with which a gateway reports the calls of others.

    It is for one team, or for the whole site if `team` is null.
    """

    public_id = models.CharField(max_length=24, unique=True, default=gateway_key_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="gateway_keys", null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True)

    objects = GatewayKeyQuerySet.as_manager()
