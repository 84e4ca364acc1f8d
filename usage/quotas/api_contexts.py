"""Finds out for which team, mode, member and token an API request reserves quota."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from teams.api import ApiError, Credential
from teams.credentials import RefusedKeyError, refusal_of, tokens_with_role
from teams.models import Membership, Mode, Team, Token, User, team_is_alive
from teams.secrets import digest


@dataclass(frozen=True)
class Context:
    """Where a call is counted: the team or personal space, the mode, the member, and their token if one is
    used.
    """

    team: Team
    mode: Mode
    user: User
    role: str
    token: Token | None = None


@dataclass(frozen=True)
class Named:
    """The caller that a request names: a token, or a team and a member.

    `token` is its secret or `tok_…`, `team` the slug, `member` the email address. Fields that the request does
    not have are "".
    """

    token: str = ""
    team: str = ""
    member: str = ""


def context_of(credential: Credential, named: Named, now: datetime) -> Context:
    """Returns the context of a request, from its key and from what it names.

    Raises ApiError if the key may not act for that caller, or if a gateway key's request does not name one.
    """
    if isinstance(credential, Token):
        _check_own(credential, named)
        return context_of_token(credential)
    team = credential.team
    if named.token:
        return context_of_token(_named_token(named.token, team, now))
    if not named.member:
        raise ApiError(400, "invalid_request", _("Send the caller: token, or team and member."), param="token")
    return _context_of_member(named, team)


def context_of_token(token: Token) -> Context:
    """Returns the context of a token that was read with `tokens_with_role`, which adds its holder's `role`."""
    role: str = token.role  # type: ignore[attr-defined]  # the annotation of tokens_with_role
    return Context(token.team, Mode(token.mode), token.user, role, token)


def _check_own(token: Token, named: Named) -> None:
    """Raises ApiError if a token's request names another token, team or member. A token only acts for itself."""
    if named.token and named.token != token.public_id and digest(named.token) != token.digest:
        raise _out_of_scope("token", _("A token can only reserve for itself."))
    if named.team and named.team != token.team.slug:
        raise _out_of_scope("team", _("This token belongs to another team."))
    if named.member and named.member.lower() != token.user.email.lower():
        raise _out_of_scope("member", _("This token belongs to somebody else."))


def _named_token(name: str, team: Team | None, now: datetime) -> Token:
    named = Q(public_id=name) if name.startswith("tok_") else Q(digest=digest(name))
    token = tokens_with_role().filter(named).first()
    if token is None or (team is not None and token.team_id != team.pk):
        raise _out_of_scope("token", _("This key has access to no such token."))
    reason = refusal_of(token, now)
    if reason is not None:
        raise ApiError(401, "invalid_token", str(RefusedKeyError(reason)), param="token")
    return token


def _context_of_member(named: Named, team: Team | None) -> Context:
    if team is None and not named.team:
        message = _("Send the slug of the member's team.")
        raise ApiError(400, "invalid_request", message, param="team")
    if team is not None and named.team not in {"", team.slug}:
        raise _out_of_scope("team", _("This key is for another team."))
    slug = team.slug if team is not None else named.team
    membership = (
        Membership.objects.filter(
            team_is_alive(), team__slug=slug, user__email__iexact=named.member, user__is_active=True
        )
        .select_related("team", "user")
        .first()
    )
    if membership is None:
        message = _("This key has access to no team member with this address.")
        raise _out_of_scope("member", message)
    return Context(membership.team, Mode.LIVE, membership.user, membership.role)


def _out_of_scope(param: str, message: str) -> ApiError:
    return ApiError(403, "out_of_scope", message, param=param)
