"""Builds the links of the navigation: the pages of a team that a role may see, and the user's own pages."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from teams.access import Access, Permission

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class NavItem:
    """One link of the navigation."""

    key: str
    label: str
    icon: str
    href: str
    is_current: bool


# The pages of a team: key, label, icon, URL name, and the permission that is needed to see the link.
TEAM_PAGES = [
    ("overview", _("Overview"), "overview", "usage:overview", Permission.SEE_OWN),
    ("ranking", _("Ranking"), "ranking", "usage:ranking", Permission.SEE_TEAM),
    ("logs", _("Logs"), "logs", "logs:list", Permission.SEE_OWN),
    ("members", _("Members"), "members", "teams:members", Permission.MANAGE_MEMBERS),
    ("invitations", _("Invitations"), "invite", "teams:invitations", Permission.INVITE),
    ("tokens", _("Tokens"), "token", "teams:tokens", Permission.SEE_OWN),
    ("quotas", _("Quotas"), "quota", "usage:quotas", Permission.SEE_TEAM),
    ("alerts", _("Alerts"), "bell", "usage:alerts", Permission.SEE_OWN),
    ("activity", _("Activity"), "activity", "teams:activity", Permission.SEE_TEAM),
    ("settings", _("Settings"), "settings", "teams:settings", Permission.SEE_OWN),
]
ACCOUNT_PAGES = [
    ("profile", _("Profile"), "settings", "teams:profile"),
    ("email", _("E-mail addresses"), "invite", "account_email"),
    ("password", _("Password"), "lock", "account_change_password"),
    ("2fa", _("Two-factor sign-in"), "role", "mfa_index"),
    ("sessions", _("Sessions"), "device", "usersessions_list"),
    ("activity", _("Activity"), "activity", "teams:account-activity"),
]
CONNECTIONS_PAGE = ("3rdparty", _("Connected accounts"), "link", "socialaccount_connections")


def team_navigation(access: Access, current: str, mode: str) -> list[NavItem]:
    """Returns links to the pages of a team that the user's role may see.

    `current` is the key of the page that is shown. In test mode each link has the parameter `mode=test`, so
    that the mode stays the same.
    """
    query = "?mode=test" if mode == "test" else ""
    addresses = [(page, _address(page[3], access.team.slug)) for page in TEAM_PAGES if access.may(page[4])]
    return [
        NavItem(key, str(label), icon, address + query, key == current)
        for (key, label, icon, _name, _permission), address in addresses
        if address
    ]


def personal_navigation(current: str, path: str) -> list[NavItem]:
    """Returns links to the user's own usage and account. `current` is the key of the page, `path` its URL path.

    On pages below /accounts/ these are links to all account pages; elsewhere there is one link to the profile
    page.
    """
    root = reverse("teams:profile").removesuffix("profile/")
    usage = _item("me", _("Your usage"), "overview", _address("usage:me"), current)
    if not path.startswith(root):
        return [*usage, *_item("profile", _("Your account"), "settings", reverse("teams:profile"), current)]
    section = path.removeprefix(root).partition("/")[0]
    pages = [*ACCOUNT_PAGES, *([CONNECTIONS_PAGE] if settings.SOCIALACCOUNT_PROVIDERS else [])]
    return usage + [
        item for key, label, icon, name in pages for item in _item(key, label, icon, reverse(name), section)
    ]


def _item(key: str, label: "StrOrPromise", icon: str, href: str, current: str) -> list[NavItem]:
    return [NavItem(key, str(label), icon, href, key == current)] if href else []


def _address(name: str, *args: str) -> str:
    """Returns the URL path of a page, or "" if no app defines a URL with this name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
