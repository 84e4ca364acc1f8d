"""GET /api/v1/calls: returns the calls of the logs as JSON, NDJSON or CSV, one page for each cursor."""

import json
from collections.abc import Sequence
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from config.http import preferred_type
from logs.browsing.exports import FORMATS, Row, RowWriter, csv_header, csv_of, fields_of, ndjson_of, objects_of
from logs.models import Call
from logs.search.cursors import write_cursor
from logs.search.filters import CallFilterSet
from logs.search.paging import find_page
from logs.search.plans import make_plan
from teams.access import Access, Permission, lowest_role_with
from teams.api import ApiError, Credential, endpoint
from usage.parameters.api import READER_PARAMETERS, Reader, members_of, reader_of, refuse_unknown

DEFAULT_LIMIT, MOST = 100, 1_000
# The query parameters that the API accepts in addition to those of the form.
_OWN_PARAMETERS = (*READER_PARAMETERS, "limit")


@endpoint("GET")
def read_calls(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Returns the calls that this key may read and that match the filters, newest first unless `sort` says
    otherwise.

    `next` is the cursor of the next page. While it is not null there may be more calls, even after a page with
    few or none, because one request reads a bounded number.
    """
    reader = reader_of(request, credential)
    filters = _filters(request, reader)
    query, form = filters.qs, filters.form
    found = find_page(query, make_plan(query), form.place, size=_limit(request))
    columns = RowWriter().columns(_rows(reader.team.pk, found.ids))
    return _answer(request, columns, write_cursor(found.after, form.fingerprint))


def _filters(request: HttpRequest, reader: Reader) -> CallFilterSet:
    """Reads the filters of the request. Raises ApiError for the first that is unknown, invalid or not
    permitted.
    """
    if reader.only:  # a request for other members gets the error `out_of_scope`, as in the API of usage
        members_of(request, reader)
    asked: QueryDict = request.GET.copy()
    asked["mode"] = reader.mode.word
    role = lowest_role_with(Permission.SEE_OWN if reader.only else Permission.SEE_TEAM)
    access = Access(reader.team, reader.only or reader.team.owner, role)
    filters = CallFilterSet(asked, access=access, now=timezone.now())
    refuse_unknown(request, {*filters.form.fields, *_OWN_PARAMETERS})
    for name, errors in filters.errors.items():
        raise ApiError(400, "invalid_request", str(errors[0]), param=None if name == "__all__" else name)
    return filters


def _limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise ApiError(400, "invalid_request", _("Use a limit from 1 to %d.") % MOST, param="limit")
    return int(text)


def _rows(team_id: int, ids: Sequence[UUID]) -> list[Row]:
    """Returns the rows of these calls with the columns of FIELDS, in the order of the ids."""
    calls = fields_of(Call.objects.filter(team_id=team_id, id__in=ids))
    by_id: dict[UUID, Row] = {UUID(row[0]): row for row in calls}
    return [by_id[call_id] for call_id in ids if call_id in by_id]


def _answer(request: HttpRequest, columns: dict[str, Row], after: str) -> HttpResponse:
    """Returns the response in the format that `Accept` asks for. With NDJSON and CSV, the header Callboard-Next
    has the cursor.
    """
    kind = preferred_type(request, ["application/json", "text/csv", "application/x-ndjson"])
    headers = {"Callboard-Next": after} if after else {}
    if kind == "text/csv":
        return HttpResponse(csv_header() + csv_of(columns), content_type=FORMATS["csv"], headers=headers)
    if kind == "application/x-ndjson":
        return HttpResponse(ndjson_of(columns), content_type=FORMATS["ndjson"], headers=headers)
    calls = ", ".join(objects_of(columns))
    return HttpResponse(f'{{"calls": [{calls}], "next": {json.dumps(after or None)}}}', content_type=kind)
