"""Looks up the members and tokens of the calls on one page: one small query for members, one for tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model

from logs.models import Call
from teams.models import Token, User
from usage.rollups.bulk import fetch_by_keys, instances_of

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class NamedCall:
    """A call, its member, and its token; `token` is None for a call that a gateway reported without one."""

    call: Call
    member: User | None
    token: Token | None


def named(calls: Sequence[Call]) -> list[NamedCall]:
    """Returns the calls with their members and tokens, in the same order."""
    users = _by_id(User, ["public_id", "name", "email"], {call.member_id for call in calls})
    tokens = tokens_by_id(call.token_id for call in calls)
    return [NamedCall(call, users.get(call.member_id), tokens.get(call.token_id)) for call in calls]


def tokens_by_id(ids: Iterable[int]) -> dict[int, Token]:
    """Returns tokens by database id. The id 0, which stands for no token, is left out."""
    return _by_id(Token, ["public_id", "name", "prefix"], set(ids) - {0})


def _by_id(model: type[M], columns: list[str], ids: Iterable[int]) -> dict[int, M]:
    """Returns rows by id with some of their columns, like the ORM's `only` with `in_bulk`, but compiled once."""
    rows = fetch_by_keys(model, fixed={}, keys=["id"], wanted=[(one,) for one in ids], columns=columns)
    return {found.pk: found for found in instances_of(model, ["id", *columns], rows)}
