"""E-mails about changes in teams: their texts, and sending them after the commit.

If sending fails, the change stays. The failure is logged, and passed to `on_failure` for pages that show the
reason, such as the invitations page.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from teams.activity import Actor
from teams.models import Invitation, Membership, Role, Team, Transfer, User

logger = logging.getLogger(__name__)

OnFailure = Callable[[str], None]


@dataclass(frozen=True)
class Mail:
    """The content of an e-mail, which is rendered as text and as HTML."""

    to: str
    subject: str
    paragraphs: tuple[str, ...]
    action: str = ""  # the text of the link to `url`
    url: str = ""
    note: str = ""  # text in small type at the end


def send_on_commit(mail: Mail, on_failure: OnFailure | None = None) -> None:
    """Sends an e-mail after the commit. If that fails, calls `on_failure` with the reason."""

    def send() -> None:
        error = _send(mail)
        if error and on_failure:
            on_failure(error)

    transaction.on_commit(send, robust=True)


def _send(mail: Mail) -> str:
    """Sends an e-mail now. Returns the reason if that failed, else ""."""
    return send_message(mail.to, mail.subject, *render_mail(mail))


def render_mail(mail: Mail) -> tuple[str, str]:
    """Returns the body of an e-mail as text and as HTML."""
    context = {"mail": mail, "site": settings.BASE_URL}
    return (
        render_to_string("teams/mail/message.txt", context),
        render_to_string("teams/mail/message.html", context),
    )


def send_message(to: str, subject: str, text: str, html: str) -> str:
    """Sends an e-mail with a text and an HTML body now. Returns the reason if that failed, else ""."""
    if not settings.HAS_MAIL:
        return _("No mail server is configured.")
    message = EmailMultiAlternatives(
        subject=f"Callboard: {subject}".replace("\n", " ").replace("\r", " "), body=text, to=[to]
    )
    message.attach_alternative(html, "text/html")
    try:
        message.send()
    except (OSError, SMTPException) as error:  # no connection, or the server refused it
        logger.warning("A mail could not be sent: %s", error)
        return str(error)[:200] or type(error).__name__
    return ""


def link(path: str) -> str:
    """Returns the full URL of a path of this site, for code that has no request."""
    return settings.BASE_URL + path


def invitation_link(secret: str) -> str:
    """Returns the full URL of the invitation with this secret."""
    return link(reverse("teams:invite", args=[secret]))


def settings_link(team: Team) -> str:
    """Returns the full URL of a team's settings page."""
    return link(reverse("teams:settings", args=[team.slug]))


def invitation(invited: Invitation, secret: str) -> Mail:
    """Returns the e-mail to the invited address. Only its link contains the secret, which is not stored."""
    team = invited.team
    return Mail(
        to=invited.email,
        subject=_("Join %(team)s") % {"team": team.name},
        paragraphs=(
            _("%(person)s (%(email)s) invites you to the team %(team)s as %(role)s.")
            % {
                "person": invited.invited_by.label,
                "email": invited.invited_by.email,
                "team": team.name,
                "role": Role(invited.role).label.lower(),
            },
            team.description,
            _("The link is valid until %(when)s.") % {"when": moment(invited.expires_at, team)},
        ),
        action=_("View the invitation"),
        url=invitation_link(secret),
        note=_("If you did not expect this, ignore it or decline on that page."),
    )


def transfer_offered(transfer: Transfer) -> Mail:
    """Returns the e-mail that tells the successor about an offer of ownership."""
    team = transfer.team
    return Mail(
        to=transfer.successor.email,
        subject=_("Take over ownership of %(team)s") % {"team": team.name},
        paragraphs=(
            _("%(person)s has offered you the ownership of the team %(team)s.")
            % {"person": transfer.offered_by.label, "team": team.name},
            _("If you accept, you will own the team, and its calls will be charged to your balance."),
            _("You can accept until %(when)s. Nothing changes until you accept.")
            % {"when": moment(transfer.expires_at, team)},
        ),
        action=_("Accept or decline"),
        url=settings_link(team),
    )


def transfer_ended(team: Team, to: User, subject: str, sentence: str) -> Mail:
    """Returns an e-mail to `to` about a transfer that was accepted, declined, cancelled or made by staff."""
    words = {"team": team.name}
    return Mail(
        to=to.email,
        subject=subject,
        paragraphs=(sentence,),
        action=_("View the settings of %(team)s") % words,
        url=settings_link(team),
    )


def role_changed(membership: Membership, by: Actor) -> Mail:
    """Returns the e-mail to a member whose role was changed by `by`."""
    team = membership.team
    role = Role(membership.role).label.lower()
    return Mail(
        to=membership.user.email,
        subject=_("You are now %(role)s in %(team)s") % {"role": role, "team": team.name},
        paragraphs=(
            _("%(person)s changed your role in %(team)s. You are now %(role)s.")
            % {"person": _name(by), "team": team.name, "role": role},
        ),
    )


def removed(team: Team, user: User, by: Actor) -> Mail:
    """Returns the e-mail to a user who was removed from a team by `by`."""
    return Mail(
        to=user.email,
        subject=_("You are no longer in %(team)s") % {"team": team.name},
        paragraphs=(
            _("%(person)s removed you from the team %(team)s. Your tokens for this team no longer work.")
            % {"person": _name(by), "team": team.name},
        ),
    )


def moment(at: datetime, team: Team) -> str:
    """Returns a time as text, in the team's time zone and with the name of the zone."""
    local = timezone.localtime(at, team.zone)
    return f"{date_format(local, 'DATETIME_FORMAT')} ({team.time_zone})"


def _name(by: Actor) -> str:
    return by.user.label if by.user else _("Site staff")
