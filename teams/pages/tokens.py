"""Renders the tokens page: tokens, gateway keys, forms for new ones, and a new secret, which is shown once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from teams.access import Access, Permission, may_stop_token
from teams.filters.tokens import KeyFilterSet, TokenFilterSet
from teams.forms.tokens import GatewayKeyForm, TokenForm
from teams.models import GatewayKey, Membership, Mode, Secret, Team, Token, TokenQuerySet
from teams.snippets import check_key, report_openai_call

PAGE = 50


@dataclass(frozen=True)
class KeyRow:
    """A token or gateway key, its state, and what the user who views the page may do with it.

    `holder_role` is the role of a token's holder; it is None for a gateway key and if the holder has left the
    team.
    """

    key: Any  # Token | GatewayKey: templates read it
    state: str
    is_own: bool
    may_stop: bool
    holder_role: str | None = None


def tokens_page(request: HttpRequest, access: Access, status: int = 200, **more: Any) -> HttpResponse:
    """Renders the tokens page.

    `more` replaces values of the context: a form with errors (`token_form`, `limit_form`, `gateway_form`) or
    `shown`, a ShownSecret.
    """
    now = timezone.now()
    filters = TokenFilterSet(request.GET, _tokens(access), now=now)
    paged = Paginator(filters.found, PAGE).get_page(filters.number())
    context: dict[str, Any] = {
        "access": access,
        "nav": "tokens",
        "now": now,
        "filters": filters,
        "filter_form": filters.form,
        "with_revoked": filters.with_revoked,
        "paged": paged,
        "rows": _token_rows(access, paged, now),
        "token_form": TokenForm(),
        "may_edit": access.may(Permission.EDIT_TEAM),
    }
    if context["may_edit"]:
        keys = _gateway_keys(request, access, now)
        context |= {
            "gateway_rows": [KeyRow(key, key.state(now), True, True) for key in keys],
            "gateway_paged": keys,
            "gateway_form": GatewayKeyForm(),
        }
    return render(request, "teams/tokens.html", context | more, status=status)


def token_of(access: Access, token_id: str) -> Token:
    """Returns a token of the team by its public id. Raises Http404 if the user may not see it.

    Everybody may see their own tokens; the owner and administrators may see the tokens of all members.
    """
    token: Token = get_object_or_404(_visible_tokens(access).select_related("team"), public_id=token_id)
    return token


def _visible_tokens(access: Access) -> TokenQuerySet:
    tokens = Token.objects.filter(team=access.team).select_related("user")
    return tokens if access.may(Permission.SET_QUOTAS) else tokens.filter(user=access.user)


def _tokens(access: Access) -> TokenQuerySet:
    """Returns the tokens that the user may see: first their own, then those of others, each newest first."""
    is_of_others = Case(When(user=access.user, then=0), default=1)
    return _visible_tokens(access).order_by(is_of_others, "-created_at", "-pk")


def _token_rows(access: Access, tokens: Iterable[Token], now: datetime) -> list[KeyRow]:
    roles = dict(Membership.objects.filter(team=access.team).values_list("user", "role"))
    return [_token_row(access, token, roles.get(token.user_id), now) for token in tokens]


def _token_row(access: Access, token: Token, holder_role: str | None, now: datetime) -> KeyRow:
    is_own = token.user_id == access.user.pk
    may_stop = is_own or may_stop_token(access.role, holder_role)
    return KeyRow(token, token.state(now), is_own, may_stop, holder_role)


def _gateway_keys(request: HttpRequest, access: Access, now: datetime) -> Page[GatewayKey]:
    """Returns one page of the team's gateway keys that match the filters, newest first."""
    keys = GatewayKey.objects.filter(team=access.team).select_related("created_by")
    filters = KeyFilterSet(request.GET, keys.order_by("-created_at", "-pk"), now=now)
    return Paginator(filters.found, PAGE).get_page(filters.number("keys"))


@dataclass(frozen=True)
class ShownSecret:
    """A new secret and example commands that use it. The secret is not stored; only this one page shows it."""

    secret: str
    key: Secret
    team: Team
    is_token: bool

    @property
    def context_words(self) -> str:
        """The team and mode in which calls with the key count, as text for the comment of the examples."""
        mode = f", {Mode(self.key.mode).word} mode" if isinstance(self.key, Token) else ""
        return f"{self.team.name}{mode}"

    @property
    def curl(self) -> str:
        """A curl command that tests the key."""
        return check_key(settings.BASE_URL, self.secret, self.context_words)

    @property
    def python(self) -> str:
        """A Python program that makes a call and reports it with the key."""
        return report_openai_call(settings.BASE_URL, self.secret, self.context_words)
