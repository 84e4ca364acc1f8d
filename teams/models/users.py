"""Users and their manager."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models.ids import user_public_id
from teams.signals import user_created


class UserManager(BaseUserManager["User"]):
    """Creates users, and finds them by e-mail address in upper or lower case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    @transaction.atomic
    def create_user(
        self, email: str, password: str | None = None, *, by: Any = None, verified: bool = False, **fields: Any
    ) -> "User":
        """Creates a user and sends `user_created`, on which the personal space and the activity are created.

        If `password` is None, the user cannot sign in with a password until one is set. `verified` marks the
        e-mail address as verified. `by` is the `Actor` who creates the user; None is the site. Raises
        ValidationError if a field is invalid or the address is taken.
        """
        # django-allauth stores e-mail addresses in lower case, and looks for them in lower case.
        user: User = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save()
        user_created.send(sender=type(user), user=user, by=by, verified=verified)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Creates a user with a verified e-mail address and all rights in the Django admin."""
        return self.create_user(
            email, password, **{"verified": True, **fields, "is_staff": True, "is_superuser": True}
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. Users are deactivated, never deleted, so that past usage keeps their name."""

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
            # One account per address, in upper or lower case.
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("An account with this address already exists."),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name of the user, or the e-mail address if there is no name."""
        return self.name or self.email
