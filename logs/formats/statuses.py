"""Determines the HTTP status of a failed call from any error information: one table for all formats."""

import re
from collections.abc import Mapping
from typing import Final

CLIENT_DISCONNECTED: Final = 499  # the client went away before the answer was complete
_FAILED: Final = 500
_REQUEST_TIMEOUT: Final = 408

# Names of errors, from exception classes ("litellm.RateLimitError"), codes ("rate_limit_exceeded") and
# types ("rate_limit_error"): in lower case, letters only, without "error" or "exception" at the end.
_STATUSES: Final[Mapping[int, str]] = {
    400: (
        "badrequest invalidrequest invalidargument invalidprompt validation unsupportedparams rejectedrequest "
        "imagefetch contextwindowexceeded contextlengthexceeded stringabovemaxlength contentpolicyviolation "
        "contentpolicy contentfilter "
        "guardrailraised guardrailintervention blockedpiientity malformedrequestfield proxymodelnotfound "
        "litellmunknownprovider failedprecondition"
    ),
    401: (
        "authentication auth unauthorized unauthenticated invalidapikey incorrectapikey expiredkey invalidtoken "
        "callercredentialauthentication unrecognizedclient expiredtoken"
    ),
    402: "paymentrequired billing",
    403: "permissiondenied permission forbidden accessdenied modelaccessdenied",
    404: "notfound modelnotfound resourcenotfound deploymentnotfound",
    409: "conflict aborted",
    413: "requesttoolarge payloadtoolarge",
    422: "unprocessableentity",
    429: (
        "ratelimit ratelimitexceeded ratelimited callercredentialratelimit toomanyrequests throttling throttled "
        "resourceexhausted insufficientquota quotaexceeded servicequotaexceeded budgetexceeded nohealthydeployments "
    ),
    CLIENT_DISCONNECTED: "clientdisconnect clientdisconnected clientclosedrequest cancelled canceled generatorexit",
    # A time-out counts as 500, since no response with a status arrived.
    _FAILED: (
        "internalserver internal api apiconnection connection server servererror apiresponsevalidation timeout "
        "timedout apitimeout requesttimeout requesttimedout readtimeout connecttimeout connecttimedout pooltimeout "
        "writetimeout clienttimeout servertimeout upstreamtimeout modeltimeout"
    ),
    502: "badgateway",
    503: "serviceunavailable unavailable midstreamfallback modelnotready",
    504: "gatewaytimeout deadlineexceeded",
    529: "overloaded",
}
_STATUS_OF: Final = {name: status for status, names in _STATUSES.items() for name in names.split()}
_CODE: Final = re.compile(r"[45][0-9][0-9]")
_NORMALIZED: Final = re.compile(r"([45][0-9][0-9])_[A-Z_]+")  # LiteLLM's "400_INVALID_REQUEST"
_SIGNS: Final = re.compile(r"[^a-z]")
_LONGEST_HINT: Final = 256


def failure_status(*hints: object) -> int:
    """Returns the status of a failure by the first hint that determines one; 500 if none does.

    A hint is a status from 400 to 599, as a number or its digits, or the name of an error.
    """
    return next((status for hint in hints if (status := known_status(hint))), _FAILED)


def gateway_status(*hints: object) -> int:
    """Returns `failure_status` for a report by a gateway, with 500 instead of 408.

    A gateway's 408 means that the model's provider took too long, not the client.
    """
    status = failure_status(*hints)
    return _FAILED if status == _REQUEST_TIMEOUT else status


def known_status(hint: object) -> int | None:
    """Returns the failure status for a number, a code or the name of an error; None for anything else."""
    if isinstance(hint, bool) or not isinstance(hint, int | str):
        return None
    if isinstance(hint, int):
        return hint if 400 <= hint <= 599 else None
    text = hint.strip()[:_LONGEST_HINT]
    if _CODE.fullmatch(text):
        return int(text)
    if found := _NORMALIZED.fullmatch(text):
        return _STATUS_OF.get(_plain(text[4:])) or int(found[1])
    return _STATUS_OF.get(_plain(text.rpartition(".")[2]))


def _plain(name: str) -> str:
    plain = _SIGNS.sub("", name.lower())
    return plain.removesuffix("exception").removesuffix("error") or plain
