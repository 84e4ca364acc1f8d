"""Template tags for what all pages have around their content: navigation, team switcher, sign-in pages."""

from collections.abc import Sequence

from django import template
from django.conf import settings
from django.template import RequestContext
from django.utils import timezone

from teams.access import Access, memberships_of
from teams.models import Membership, Transfer
from teams.navigation import NavItem, personal_navigation, team_navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[NavItem]:
    """Returns the links of the navigation: of the team if the page has one, else of the user's own pages.

    A page passes its team in the context as `access`, and the key of its own link as `nav`.
    """
    current = context.get("nav") or ""
    if access := context.get("access"):
        return team_navigation(access, current, context["mode"])
    return personal_navigation(current, context["request"].path)


@register.simple_tag(takes_context=True)
def switcher_memberships(context: RequestContext) -> Sequence[Membership]:
    """Returns the memberships for the team switcher.

    Uses those that the page has already read, else reads them.
    """
    access: Access | None = context.get("access")
    known = access.memberships if access else context.get("memberships")
    return known or memberships_of(context["request"].user)


@register.simple_tag(takes_context=True)
def page_address(context: RequestContext, items: list[NavItem]) -> str:
    """Returns the path with which to start links that change only the query string.

    It is "", or after a POST the path of the page that is shown, because the URL of the request is that of the
    change.
    """
    if context["request"].method != "POST":
        return ""
    return next((item.href.partition("?")[0] for item in items if item.is_current), "")


@register.simple_tag(takes_context=True)
def offer_to_take_over(context: RequestContext) -> Transfer | None:
    """Returns the open offer of the team's ownership to the user, or None if there is none."""
    access: Access = context["access"]
    if not access.is_offered:
        return None
    offers = Transfer.objects.open(timezone.now()).filter(team=access.team, successor=access.user)
    return offers.select_related("successor", "offered_by").first()


@register.simple_tag
def signup_setting() -> str:
    """Returns who can sign up: `open` is anybody, `invitation` people with an invitation, `closed` nobody."""
    return str(settings.SIGNUP)


@register.simple_tag
def has_mail() -> bool:
    """Whether the site can send e-mail."""
    return bool(settings.HAS_MAIL)
