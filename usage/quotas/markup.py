"""The HTML of the quota of a member or token in tables."""

from django.utils.safestring import SafeString, mark_safe

from config.markup import markup
from config.templatetags.callboard import quota_bar
from usage.quotas.levels import LevelState


def quota_of(subject_id: str, state: LevelState | None, oob: bool = False) -> SafeString:
    """Returns the HTML of the quota bar of a member or token; `state` is None for a former member.

    With `oob`, htmx replaces the bar of the same id on the page.
    """
    bar = quota_bar(state.used_nanos, state.limit_nanos) if state else ""
    swap = mark_safe(' hx-swap-oob="true"') if oob else ""
    return markup('<div id="quota-of-%s"%s>%s</div>', subject_id, swap, bar)
