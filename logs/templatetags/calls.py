"""Template tags that render calls.

Pages of `usage` use them as well, because its code must not import `logs`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from config import formatting
from config.markup import joined, markup
from config.templatetags.callboard import bar, local, milliseconds, money, status_dot
from logs.browsing.names import NamedCall
from logs.search.index_scans import newest
from teams.access import Access
from teams.models import Membership, Mode, User

register = template.Library()
_ANY = UUID(int=0)
_MOST = 8
_SHOWN = ("team_id", "id", "started_at", "outcome", "status", "model", "latency_ms", "cost_nanos")


@register.inclusion_tag("logs/browsing/_latest.html")
def latest_calls(user: User, memberships: Sequence[Membership], mode: str, clock: str) -> dict[str, Any]:
    """Renders the user's own latest calls in all these teams together, newest first.

    `mode` is "test" or "live"; `clock` is the time zone in which times are shown.
    """
    in_mode = Mode.TEST if mode == "test" else Mode.LIVE
    teams = {one.team_id: one.team for one in memberships}
    calls = newest([*teams], user.pk, in_mode, _SHOWN, limit=_MOST)
    return {"rows": [(call, teams[call["team_id"]]) for call in calls], "mode": mode, "clock": clock}


@register.simple_tag(takes_context=True)
def call_rows(context: RequestContext, calls: Iterable[NamedCall], slowest_ms: int = 0) -> SafeString:
    """Renders the table rows of calls. `slowest_ms` is the latency that fills the whole latency bar.

    Built without a template, because of the time: fifty rows take 1.7 ms here and 5.9 ms in a template, of 15
    ms for the whole page (medians of one run). The template context must contain `access` (of the team) and
    `list_query` (the filters, which the links to calls carry along).
    """
    access, query = context["access"], context["list_query"]
    return joined(_row(row, access, query, slowest_ms) for row in calls)


def _row(row: NamedCall, access: Access, query: str, slowest_ms: int) -> SafeString:
    call, team, cost = row.call, access.team, money(row.call.cost_nanos)
    href = markup("%s%s", detail_path(team.slug, call.id), query)
    member = row.member.label if row.member and access.sees_team else ""
    return markup(
        _ROW,
        *(href, href, local(call.started_at, team.zone, "row")),
        status_dot(call.outcome, call.status),
        *(call.model, call.model, f"{cost} · {member}" if access.sees_team else cost),
        markup(_MEMBER, member) if access.sees_team else _NOTHING,
        (row.token and row.token.name) or "–",
        _UNKNOWN
        if call.latency_ms is None
        else markup(_LATENCY, milliseconds(call.latency_ms), bar(call.latency_ms, slowest_ms)),
        *(formatting.plain(call.input_tokens), formatting.plain(call.output_tokens), cost),
    )


_NOTHING = mark_safe("")
_UNKNOWN = mark_safe('<span class="faint">–</span>')
_LATENCY = '<span class="latency">%s%s</span>'
_MEMBER = '<td class="col-2 muted nowrap"><span class="truncate">%s</span></td>'
_ROW = """<tr data-row>
  <td class="fit nowrap when"><a href="%s" hx-get="%s" data-opens="call-detail">%s</a></td>
  <td class="fit">%s</td>
  <th scope="row" class="grow"><span class="truncate mono" title="%s">%s</span>
    <span class="only-narrow truncate">%s</span></th>
  %s
  <td class="col-4 mono faint nowrap"><span class="truncate">%s</span></td>
  <td class="num fit">%s</td>
  <td class="num col-4 muted">%s</td>
  <td class="num col-4 muted">%s</td>
  <td class="num col-2">%s</td>
</tr>
"""


@register.simple_tag
def detail_path(slug: str, call_id: UUID) -> str:
    """Returns the path of a call's page. Faster than `reverse` for each of the fifty rows of a list."""
    return _detail_path(slug).replace(str(_ANY), str(call_id))


@lru_cache(maxsize=1_000)
def _detail_path(slug: str) -> str:
    return reverse("logs:detail", args=[slug, _ANY])
