"""Who there is: users, teams, memberships, invitations, transfers, tokens, gateway keys, activity.

Ordinary tables: few rows, real foreign keys. The records (calls and rollups) are in `logs` and `usage`.
"""

import zoneinfo
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

PUBLIC_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def public_id(prefix: str) -> str:
    """A short id for addresses and the API, such as `tok_3k9x0c2m7q1z`; it carries no meaning."""
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


def validate_time_zone(name: str) -> None:
    """Refuses a name that the time zone database does not know."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(
            _("“%(name)s” is not a time zone. Take one such as Europe/Berlin."), params={"name": name}
        ) from error


class Mode(models.IntegerChoices):
    """Live or test: kept apart in calls, statistics and quota use."""

    LIVE = 0, _("Live")
    TEST = 1, _("Test")

    @property
    def word(self) -> str:
        """The mode as the API and addresses write it: `live` or `test`."""
        return self.name.lower()


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user with their personal space. `password` None: they sign in by other means only."""
        from teams.actions.users import create_user  # the action knows what belongs to a new user

        return create_user(email=email, password=password, **fields)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may do everything in the Django admin, with a verified address."""
        return self.create_user(
            email, password, **{"verified": True, **fields, "is_staff": True, "is_superuser": True}
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Deactivated, never deleted: past usage stays under their name."""

    public_id = models.CharField(max_length=24, unique=True, default=user_public_id, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=100, blank=True)
    is_staff = models.BooleanField(_("site staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            # One account per address, however it is written.
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("Somebody has this address already."),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name, or the address of somebody who gave none."""
        return self.name or self.email


class Team(models.Model):
    """Owns members, tokens, calls, quota. A personal space is a team of one."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_teams")
    is_personal = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Set when the owner deletes the team; staff can restore it until housekeeping purges it.
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(is_personal=True), name="team_one_personal_space"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that days, periods and resets of this team follow."""
        return zoneinfo.ZoneInfo(self.time_zone)


class Membership(models.Model):
    """A user in a team. Ends by deletion: the past stays in calls, statistics and activity."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=13, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_unique"),
            # With the lock on the team row this keeps "exactly one owner" true even against mistakes.
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(role="owner"), name="membership_one_owner"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"


class Secret(models.Model):
    """What API tokens and gateway keys share: a secret shown once, of which only a hash is stored."""

    name = models.CharField(_("name"), max_length=100)
    # The first characters, to recognise it by; far too few to guess the rest.
    prefix = models.CharField(max_length=24, editable=False)
    # HMAC-SHA256 of the secret; unique because requests are authenticated by looking it up.
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
        """`active`, `revoked`, `disabled` or `expired`; only an active secret is accepted."""
        if self.revoked_at:
            return "revoked"
        if self.disabled_at:
            return "disabled"
        return "expired" if self.expires_at and self.expires_at <= now else "active"


class Token(Secret):
    """A member's API token. Its team is the context in which its calls are made."""

    public_id = models.CharField(max_length=24, unique=True, default=token_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    mode = models.SmallIntegerField(choices=Mode.choices, default=Mode.LIVE)
    # Models this token may call; empty means all. Gateways read it, reservations enforce it.
    models = models.JSONField(default=list, blank=True)


class GatewayKey(Secret):
    """A gateway's key: of one team, or of the whole site (`team` is null)."""

    public_id = models.CharField(max_length=24, unique=True, default=gateway_key_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="gateway_keys", null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True)


class Invitation(models.Model):
    """An offer to join a team: bound to an address, or a link for whoever has it (`email` is "")."""

    public_id = models.CharField(max_length=24, unique=True, default=invitation_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254, blank=True)
    role = models.CharField(
        max_length=13,
        choices=[(Role.ADMINISTRATOR, Role.ADMINISTRATOR.label), (Role.MEMBER, Role.MEMBER.label)],
        default=Role.MEMBER,
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    max_uses = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # At most one of these three is set; a full link has `uses == max_uses` and `accepted_at`.
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The reason the last mail did not go out, shown beside the link to copy.
    mail_error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            # One pending e-mail invitation per address and team.
            models.UniqueConstraint(
                "team",
                Lower("email"),
                condition=~models.Q(email="") & models.Q(accepted_at=None, declined_at=None, revoked_at=None),
                name="invitation_one_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(uses__lte=models.F("max_uses")), name="invitation_uses_limited"
            ),
            models.CheckConstraint(condition=~models.Q(role="owner"), name="invitation_never_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'link'} to {self.team}"

    def state(self, now: datetime) -> str:
        """`accepted`, `declined`, `revoked`, `expired` or `pending`."""
        for name in ("accepted", "declined", "revoked"):
            if getattr(self, f"{name}_at"):
                return name
        return "expired" if self.expires_at <= now else "pending"


class Transfer(models.Model):
    """An offer to pass a team on to a successor; open until one of the three ends or it lapses."""

    public_id = models.CharField(max_length=24, unique=True, default=transfer_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="transfers")
    offered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    successor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="transfer_offers")
    offered_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team"],
                condition=models.Q(accepted_at=None, declined_at=None, cancelled_at=None),
                name="transfer_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team} to {self.successor}"

    def state(self, now: datetime) -> str:
        """`accepted`, `declined`, `cancelled`, `lapsed` or `open`. A lapse is a cancellation at the expiry,
        which nobody can come to cancel any more."""
        if self.accepted_at:
            return "accepted"
        if self.declined_at:
            return "declined"
        if self.cancelled_at and self.cancelled_at < self.expires_at:
            return "cancelled"
        return "lapsed" if self.expires_at <= now or self.cancelled_at else "open"


class Activity(models.Model):
    """One change of state: who did what, on whom, before and after, when, from where. Never edited."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="activity", null=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    # Null: the site itself (a command, a lapse).
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    kind = models.CharField(max_length=40)
    # On whom, and on what (a name that is still readable when the thing is gone).
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    subject = models.CharField(max_length=254, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        verbose_name_plural = "activity"
        indexes = [
            # The activity page and its filters read one team, newest first.
            models.Index(fields=["team", "-at", "-id"], name="activity_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"
