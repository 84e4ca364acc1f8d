"""What the frame of every page asks for."""

from django import template
from django.conf import settings
from django.template import RequestContext
from django.utils import timezone

from teams.access import Access
from teams.models import Transfer
from teams.navigation import NavItem, personal_navigation, team_navigation
from teams.offers import offer_to

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[NavItem]:
    """The links of the rail: of the page's team (`access`, `nav`), or one's own where there is none."""
    current = context.get("nav") or ""
    if access := context.get("access"):
        return team_navigation(access, current, context["mode"])
    return personal_navigation(current, context["request"].path)


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
    return offer_to(access.team, access.user, timezone.now())


@register.simple_tag
def signup_setting() -> str:
    """How people get accounts: `open`, `invitation` or `closed`."""
    return str(settings.SIGNUP)


@register.simple_tag
def has_mail() -> bool:
    """Whether the site can send mail, to confirm an address for instance."""
    return bool(settings.HAS_MAIL)
