"""What the frame of every page asks for."""

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
    """The links of the rail: of the page's team (`access`, `nav`), or one's own where there is none."""
    current = context.get("nav") or ""
    if access := context.get("access"):
        return team_navigation(access, current, context["mode"])
    return personal_navigation(current, context["request"].path)


@register.simple_tag(takes_context=True)
def memberships_of_reader(context: RequestContext) -> Sequence[Membership]:
    """What the switcher leads to, personal space first, then by name: as the page read it, else asked for here."""
    access: Access | None = context.get("access")
    known = access.memberships if access else context.get("memberships")
    return known or memberships_of(context["request"].user)


@register.simple_tag(takes_context=True)
def page_address(context: RequestContext, items: list[NavItem]) -> str:
    """Where links that change the query of this page lead: "", itself, or where a form was answered its page."""
    if context["request"].method != "POST":
        return ""
    return next((item.href.partition("?")[0] for item in items if item.is_current), "")


@register.simple_tag(takes_context=True)
def offer_to_take_over(context: RequestContext) -> Transfer | None:
    """The open offer of the page's team to its reader, if it has not lapsed."""
    access: Access = context["access"]
    if not access.is_offered:
        return None
    offers = Transfer.objects.open(timezone.now()).filter(team=access.team, successor=access.user)
    return offers.select_related("successor", "offered_by").first()


@register.simple_tag
def signup_setting() -> str:
    """How people get accounts: `open`, `invitation` or `closed`."""
    return str(settings.SIGNUP)


@register.simple_tag
def has_mail() -> bool:
    """Whether the site can send mail, to confirm an address for instance."""
    return bool(settings.HAS_MAIL)
