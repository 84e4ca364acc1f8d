"""Finds out whose calls are reported: team, member, token and mode, from the key and the record."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from logs.formats.reported import InvalidRecordError, ReportedCall
from teams.models import GatewayKey, Membership, Mode, Token, team_is_alive
from teams.secrets import digest


@dataclass(frozen=True)
class Caller:
    """The authenticated key of a report: a token or a gateway key, exactly one of the two.

    A token reports its own calls; a gateway key reports calls of any token or member in its scope.
    """

    token: Token | None = None
    gateway_key: GatewayKey | None = None

    @property
    def gateway_key_id(self) -> int:
        return self.gateway_key.pk if self.gateway_key else 0

    @property
    def team_id(self) -> int | None:
        """The only team that this key may report for; None for a gateway key of the whole site."""
        return self.token.team_id if self.token else self.gateway_key.team_id if self.gateway_key else None


@dataclass(frozen=True)
class CallContext:
    """The team, mode, member and token that a call is attributed to; `token_id` 0: only the member is known."""

    team_id: int
    mode: int
    member_id: int
    token_id: int = 0


class Directory:
    """The tokens and members that a batch of calls names, loaded with at most two SQL queries."""

    def __init__(self, caller: Caller, calls: Iterable[ReportedCall]) -> None:
        self._caller = caller
        named = list(calls) if caller.gateway_key else []
        self._tokens = _tokens({call.token for call in named if call.token})
        self._members = _members({(call.team, call.member) for call in named if not call.token})

    def context(self, call: ReportedCall) -> CallContext:
        """Returns the team, mode, member and token of a call.

        Raises InvalidRecordError if this key may not report the call.
        """
        if self._caller.token is not None:
            return _own_context(self._caller.token, call)
        if call.token:
            return self._context_of_token(call)
        return self._context_of_member(call)

    def _context_of_token(self, call: ReportedCall) -> CallContext:
        token = self._tokens.get(call.token)
        if token is None or token.team.deleted_at:
            raise InvalidRecordError("token", _("No such token."), "invalid_token")
        if self._caller.team_id not in {None, token.team_id}:
            raise InvalidRecordError("token", _("This key is for another team."), "out_of_scope")
        ended = [at for at in (token.revoked_at, token.disabled_at, token.expires_at) if at]
        # A call that was made while the token was active is counted, even if it is reported later.
        if ended and min(ended) <= call.started_at:
            raise InvalidRecordError("token", _("The token was not active at that time."), "invalid_token")
        return CallContext(token.team_id, token.mode, token.user_id, token.pk)

    def _context_of_member(self, call: ReportedCall) -> CallContext:
        if not call.member:
            message = _("Send the caller: `token`, or `team` and `member`.")
            raise InvalidRecordError("token", message)
        if not call.team and self._caller.team_id is None:
            raise InvalidRecordError("team", _("Send the slug of the member's team."))
        for membership in self._members.get((call.team, call.member.lower()), ()):
            if self._caller.team_id in {None, membership.team_id}:
                return CallContext(membership.team_id, Mode.LIVE, membership.user_id)
        raise InvalidRecordError(
            "member", _("This key has access to no team member with this address."), "out_of_scope"
        )


def _own_context(token: Token, call: ReportedCall) -> CallContext:
    """Returns the team, mode, member and token of a call that a token reports: always the token's own.

    Raises InvalidRecordError if the record names another token, team or member.
    """
    others = call.token and call.token != token.public_id and digest(call.token) != token.digest
    if others:
        raise InvalidRecordError("token", _("A token can only report its own calls."), "out_of_scope")
    if call.team and call.team != token.team.slug:
        raise InvalidRecordError("team", _("This token belongs to another team."), "out_of_scope")
    if call.member and call.member.lower() != token.user.email.lower():
        raise InvalidRecordError("member", _("This token belongs to somebody else."), "out_of_scope")
    return CallContext(token.team_id, token.mode, token.user_id, token.pk)


def _tokens(named: set[str]) -> dict[str, Token]:
    """Returns the tokens that the batch names, by that name: the public id (`tok_…`) or the secret."""
    if not named:
        return {}
    digests = {name: digest(name) for name in named if not name.startswith("tok_")}
    found = Token.objects.filter(Q(public_id__in=named) | Q(digest__in=digests.values())).select_related("team")
    by_name: dict[str, Token] = {token.public_id: token for token in found}
    by_digest = {token.digest: token for token in found}
    return by_name | {name: by_digest[key] for name, key in digests.items() if key in by_digest}


def _members(named: set[tuple[str, str]]) -> dict[tuple[str, str], list[Membership]]:
    """Returns memberships of active users by (team slug, e-mail address in lower case).

    Each is also found under the slug "", for calls that name no team.
    """
    addresses = {member.lower() for _team, member in named if member}
    if not addresses:
        return {}
    found = (
        Membership.objects.alias(address=Lower("user__email"))
        .filter(team_is_alive(), address__in=addresses, user__is_active=True)
        .select_related("team", "user")
        .order_by("team_id")
    )
    by_name: dict[tuple[str, str], list[Membership]] = {}
    for membership in found:
        for slug in ("", membership.team.slug):
            by_name.setdefault((slug, membership.user.email.lower()), []).append(membership)
    return by_name
