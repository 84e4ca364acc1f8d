"""What the frame of every page asks for."""

from django import template
from django.conf import settings
from django.template import RequestContext

from teams.navigation import NavItem, personal_navigation, team_navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[NavItem]:
    """The links of the rail: of the page's team (`access`, `nav`), or one's own where there is none."""
    current = context.get("nav") or ""
    if access := context.get("access"):
        return team_navigation(access, current, context["mode"])
    return personal_navigation(current, context["request"].path)


@register.simple_tag
def signup_setting() -> str:
    """How people get accounts: `open`, `invitation` or `closed`."""
    return str(settings.SIGNUP)
