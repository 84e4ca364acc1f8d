"""The modes of calls and the roles of members."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Mode(models.IntegerChoices):
    """The mode of a token and its calls.

    Calls, statistics and quota use of live and test mode are kept separate.
    """

    LIVE = 0, _("Live")
    TEST = 1, _("Test")

    @property
    def word(self) -> str:
        """The name of the mode in the API and in URLs: `live` or `test`."""
        return self.name.lower()


class Role(models.TextChoices):
    """The role of a member; `teams.access.PERMISSIONS` says what each role may do."""

    OWNER = "owner", _("Owner")
    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")
