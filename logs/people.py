"""Names for the calls of one page: who, with which token; looked up apart, in one small query a kind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from logs.models import Call
from teams.models import Token, User


@dataclass(frozen=True)
class NamedCall:
    """A call, its caller, and its token; None for a call that a gateway reported for the member."""

    call: Call
    member: User | None
    token: Token | None


def named(calls: Sequence[Call]) -> list[NamedCall]:
    """The calls with their names, in the same order."""
    users = User.objects.only("public_id", "name", "email").in_bulk({call.member_id for call in calls})
    tokens = tokens_by_id(call.token_id for call in calls)
    return [NamedCall(call, users.get(call.member_id), tokens.get(call.token_id)) for call in calls]


def tokens_by_id(ids: Iterable[int]) -> dict[int, Token]:
    """Tokens by database id, without 0, which stands for none."""
    return Token.objects.only("public_id", "name", "prefix").in_bulk(set(ids) - {0})
