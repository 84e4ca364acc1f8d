"""The quota of a member or token, as tables show it."""

from django.utils.safestring import SafeString, mark_safe

from config.markup import markup
from config.templatetags.callboard import quota_bar
from usage.quotas.levels import LevelState


def quota_of(subject_id: str, state: LevelState | None, oob: bool = False) -> SafeString:
    """The quota of a member or token (None: a former member); swapped by its id when it was changed."""
    bar = quota_bar(state.used_nanos, state.limit_nanos) if state else ""
    swap = mark_safe(' hx-swap-oob="true"') if oob else ""
    return markup('<div id="quota-of-%s"%s>%s</div>', subject_id, swap, bar)
