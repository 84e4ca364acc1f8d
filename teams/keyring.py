"""The tokens and gateway keys of a team as their page shows them, and the commands to copy with a new one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from teams.access import Access, Permission, may_stop_token
from teams.forms import GatewayKeyForm, KeyFilter, TokenForm
from teams.models import GatewayKey, Membership, Mode, Secret, Team, Token
from teams.snippets import check_key, report_openai_call

PAGE = 50


@dataclass(frozen=True)
class KeyRow:
    """A token or gateway key, its state now, and what the reader may do with it.

    `holder_role` is the role of a token's holder; None for a former member, and for a gateway key.
    """

    key: Any  # Token | GatewayKey: templates read it
    state: str
    is_own: bool
    may_stop: bool
    holder_role: str | None = None


def tokens_page(request: HttpRequest, access: Access, status: int = 200, **more: Any) -> HttpResponse:
    """The page; `more` replaces a form by one that was filled in (`token_form`, and `limit_form` of its quota),
    or shows a new secret (`shown`)."""
    now = timezone.now()
    form = KeyFilter(request.GET)
    wanted: dict[str, Any] = form.cleaned_data if form.is_valid() else {"revoked": False, "page": 1, "keys": 1}
    with_revoked = wanted["revoked"]
    paged = Paginator(_tokens(access, with_revoked), PAGE).get_page(wanted["page"])
    context: dict[str, Any] = {
        "access": access,
        "nav": "tokens",
        "now": now,
        "filter_form": form,
        "with_revoked": with_revoked,
        "paged": paged,
        "rows": _token_rows(access, paged, now),
        "token_form": TokenForm(),
        "may_edit": access.may(Permission.EDIT_TEAM),
    }
    if context["may_edit"]:
        keys = _gateway_keys(access, with_revoked, wanted["keys"])
        context |= {
            "gateway_rows": [KeyRow(key, key.state(now), True, True) for key in keys],
            "gateway_paged": keys,
            "gateway_form": GatewayKeyForm(),
        }
    return render(request, "teams/tokens.html", context | more, status=status)


def _tokens(access: Access, with_revoked: bool) -> QuerySet[Token]:
    """One's own tokens first, then for owner and administrators everybody's, newest first."""
    is_others = Case(When(user=access.user, then=0), default=1)
    tokens = (
        Token.objects.filter(team=access.team)
        .select_related("user")
        .order_by(is_others, "-created_at", "-pk")  # one's own first
    )
    if not access.may(Permission.SET_QUOTAS):
        tokens = tokens.filter(user=access.user)
    return tokens if with_revoked else tokens.filter(revoked_at=None)


def _token_rows(access: Access, tokens: Iterable[Token], now: datetime) -> list[KeyRow]:
    roles = dict(Membership.objects.filter(team=access.team).values_list("user", "role"))
    return [_token_row(access, token, roles.get(token.user_id), now) for token in tokens]


def _gateway_keys(access: Access, with_revoked: bool, page: int) -> Page[GatewayKey]:
    """The gateway keys of the team, newest first."""
    keys = (
        GatewayKey.objects.filter(team=access.team).select_related("created_by").order_by("-created_at", "-pk")
    )
    if not with_revoked:
        keys = keys.filter(revoked_at=None)
    return Paginator(keys, PAGE).get_page(page)


def _token_row(access: Access, token: Token, holder_role: str | None, now: datetime) -> KeyRow:
    is_own = token.user_id == access.user.pk
    may_stop = is_own or may_stop_token(access.role, holder_role)
    return KeyRow(token, token.state(now), is_own, may_stop, holder_role)


def token_of(access: Access, token_id: str) -> Token:
    """A token of this team that the user may see: their own, or anybody's for owner and administrators.

    Raises Http404.
    """
    tokens = Token.objects.select_related("team", "user").filter(team=access.team, public_id=token_id)
    if not access.may(Permission.SET_QUOTAS):
        tokens = tokens.filter(user=access.user)
    return get_object_or_404(tokens)


@dataclass(frozen=True)
class ShownSecret:
    """A new secret with commands to copy. It is in no database: the page that shows it is the only one."""

    secret: str
    key: Secret
    team: Team
    is_token: bool

    @property
    def context_words(self) -> str:
        """The context that the key calls in, as the comment in its commands says."""
        mode = f", {Mode(self.key.mode).word} mode" if isinstance(self.key, Token) else ""
        return f"{self.team.name}{mode}"

    @property
    def curl(self) -> str:
        return check_key(settings.BASE_URL, self.secret, self.context_words)

    @property
    def python(self) -> str:
        return report_openai_call(settings.BASE_URL, self.secret, self.context_words)
