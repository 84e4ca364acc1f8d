"""The error that answers a request if all of its records were rejected."""

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from teams.api import ApiError

# The codes of rejections that are about who called, each with its HTTP status, the most telling last.
_IDENTITY: Final = {"invalid_token": 401, "out_of_scope": 403}


def refusal_of(answer: dict[str, Any]) -> ApiError | None:
    """The error of a batch of which nothing was accepted; None if something was, or if it was empty.

    Senders log an HTTP error, but nobody reads a list of rejected records in an answer of 200. `answer` is that
    of `POST /api/v1/calls`. The error has the status 401 or 403 if the caller was the reason for every record,
    otherwise 400, and the `param` of the first.
    """
    rejected: list[dict[str, Any]] = answer["rejected"]
    if not rejected or answer["accepted"] or answer["duplicates"]:
        return None
    code = _common_code([one["code"] for one in rejected])
    status = _IDENTITY.get(code, 400)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return ApiError(status, code, _sentence(rejected), param=rejected[0]["param"], headers=headers)


def _common_code(codes: Sequence[str]) -> str:
    """The code that stands for all: an identity error only if every record has one."""
    found = set(codes)
    if found <= _IDENTITY.keys():
        return next(code for code in reversed(_IDENTITY) if code in found)
    return found.pop() if len(found) == 1 else "invalid_request"


def _sentence(rejected: Sequence[dict[str, Any]]) -> str:
    first = str(rejected[0]["message"])
    if len(rejected) == 1:
        return _("The record was rejected: %(reason)s") % {"reason": first}
    return _("All %(count)d records were rejected. The first: %(reason)s") % {
        "count": len(rejected),
        "reason": first,
    }
