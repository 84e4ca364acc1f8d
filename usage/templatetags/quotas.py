"""Template tags for quotas in the tables of members and tokens: the quota bar, and the menu of each row."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.markup import joined, markup
from config.templatetags.callboard import icon
from teams.access import Access, Permission, may_change_role, may_limit, may_limit_token
from teams.models import Mode, Role, Team, Token, User
from teams.pages.tokens import KeyRow
from usage.parameters.names import last_call_days
from usage.quotas.availability import member_levels, token_levels
from usage.quotas.forms import NewTokenLimitForm
from usage.quotas.levels import LevelState
from usage.quotas.markup import quota_of
from usage.templatetags.drill import behind

register = template.Library()


@register.simple_tag
def quotas_of_members(team: Team, mode: str, rows: Iterable[Any]) -> dict[int, LevelState]:
    """Returns the member quota of the `user` of each row, by user id; one SQL query for the whole table."""
    return member_levels(team, int(mode == "test"), [row.user.pk for row in rows], timezone.now())


@register.simple_tag
def last_calls_of_members(team: Team, mode: str, rows: Iterable[Any]) -> dict[int, date]:
    """Returns the day of the last call of the `user` of each row, by user id."""
    return last_call_days(team, int(mode == "test"), [row.user.pk for row in rows])


@register.inclusion_tag("usage/quotas/_last_call.html")
def last_call(days: dict[int, date], user: User) -> dict[str, Any]:
    """Renders the day of a user's last call, or that there was none."""
    return {"day": days.get(user.pk)}


register.simple_tag(quota_of)


@register.simple_tag
def quota_cell(quotas: dict[int, LevelState], user: User) -> SafeString:
    """Renders a member's quota for a table cell."""
    return quota_of(user.public_id, quotas.get(user.pk))


@register.simple_tag
def editor_place(subject_id: str) -> SafeString:
    """Renders the empty, hidden table row into which the editor of a member or token is loaded."""
    return markup('<tr id="editor-%s" hidden></tr>', subject_id)


@register.simple_tag
def quotas_of_tokens(team: Team, rows: Iterable[KeyRow]) -> dict[int, LevelState]:
    """Returns the token quota of each row, by token id, each in the token's own mode (live or test).

    At most two SQL queries.
    """
    now = timezone.now()
    found: dict[int, LevelState] = {}
    for mode in Mode:
        found |= token_levels(team, mode, [row.key.pk for row in rows if row.key.mode == mode], now)
    return found


@register.simple_tag
def token_quota_cell(quotas: dict[int, LevelState], token: Token) -> SafeString:
    """Renders a token's quota for a table cell."""
    return quota_of(token.public_id, quotas.get(token.pk))


@register.inclusion_tag("usage/quotas/_token_menu_items.html")
def token_menu_items(access: Access, row: KeyRow, quotas: dict[int, LevelState]) -> dict[str, Any]:
    """Renders the menu item that adjusts a token's quota, if the reader may do that."""
    is_limited = quotas[row.key.pk].limit_nanos is not None
    return {
        "slug": access.team.slug,
        "token_id": row.key.public_id,
        "may_limit": may_limit_token(access.role, row.holder_role, is_own=row.is_own, is_limited=is_limited),
        "is_limited": is_limited,
    }


@register.inclusion_tag("usage/quotas/_new_token_limit.html")
def new_token_limit(limit_form: NewTokenLimitForm | str) -> dict[str, Any]:
    """Renders the fields for the limit of a new token.

    `limit_form` is the submitted form, or "" (an undefined variable in the template) for an empty one.
    """
    return {"limit_form": limit_form or NewTokenLimitForm()}


@register.simple_tag(takes_context=True)
def member_menu_items(
    context: RequestContext, access: Access, user_id: str, role: str, back: str
) -> SafeString:
    """Renders the first items of a member's menu: adjust the quota, change the role, view the calls.

    `user_id` is the public id; `role` is "" for a former member; `back` is the page to which the editor
    returns. The editor opens in the table row `editor-<id>` or, without JavaScript, as a page.
    """
    return menus(context, access, back).items(user_id, role)


@dataclass(frozen=True)
class Menus:
    """Builds the menus of members on a page, and holds the texts and addresses that all menus share."""

    access: Access
    editor: tuple[str, str]  # the editor's address: the parts before and after the member's id
    to_calls: Callable[[str], str]
    adjust: SafeString
    change: SafeString
    view: SafeString
    button_label: str

    def items(self, user_id: str, role: str) -> SafeString:
        """Returns the items of one member's menu; see `member_menu_items`."""
        opening = [*self._opening(role)]
        before, after = self.editor
        editor = f"{before}{user_id}{after}" if opening else ""
        items = [markup(_OPENS_EDITOR, editor, editor, user_id, words) for words in opening]
        items.append(markup('<li><a href="%s">%s</a></li>', self.to_calls(user_id), self.view))
        return joined(items)

    def _opening(self, role: str) -> Iterator[SafeString]:
        """Yields the text of each menu item that opens the editor, as far as the reader may use it."""
        own, other = self.access.role, Role.MEMBER if role == Role.ADMINISTRATOR else Role.ADMINISTRATOR
        limits = bool(role) and not self.access.team.is_personal and may_limit(own, role)
        if limits and self.access.may(Permission.SET_QUOTAS):
            yield self.adjust
        if role and may_change_role(own, role, other):
            yield self.change

    def button(self, user_id: str, name: str, role: str) -> SafeString:
        """Returns the button that opens a member's menu, and the menu itself."""
        label = self.button_label % {"name": name}
        return markup(_MENU, user_id, label, icon("more"), user_id, self.items(user_id, role))


def menus(context: RequestContext, access: Access, back: str) -> Menus:
    """Returns the menu builder of a page, cached on the request because every row needs it."""
    kept: dict[str, Menus] = vars(context["request"]).setdefault("member_menus", {})
    if back not in kept:
        address = f"{reverse('usage:member-editor', args=[access.team.slug, '~'])}?back={back}"
        before, _member, after = address.partition("~")
        kept[back] = Menus(
            access,
            (before, after),
            behind(context, access.team).by_key("member"),
            adjust=markup("%s%s", icon("quota"), _("Adjust quota")),
            change=markup("%s%s", icon("role"), _("Change role")),
            view=markup("%s%s", icon("logs"), _("View calls")),
            button_label=_("Actions for %(name)s"),
        )
    return kept[back]


_OPENS_EDITOR = '<li><a href="%s" hx-get="%s" hx-target="#editor-%s" hx-swap="outerHTML">%s</a></li>'
_MENU = (
    '<button type="button" class="button button-quiet row-menu" popovertarget="menu-%s" aria-label="%s">%s</button>'
    '<div class="popover popover-end" id="menu-%s" popover><ul class="menu">%s</ul></div>'
)
