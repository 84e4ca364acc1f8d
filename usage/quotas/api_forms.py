"""Reads and checks the JSON body of a reservation request, field by field."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, UnreadablePostError
from django.utils.translation import gettext as _

from teams.api import ApiError
from teams.models import Team
from usage.prices.models import PricedBy
from usage.prices.money import AmountError, amount_nanos, read_usd
from usage.prices.price_list import PriceList
from usage.prices.public_list import SERVICE_TIERS, ModelNames
from usage.prices.rates import Tokens
from usage.quotas.actions.granting import Wanted
from usage.quotas.actions.unpriced import unpriced_reserve_of
from usage.quotas.api_contexts import Named

MOST_BYTES = 64 * 1024
DEFAULT_TTL = timedelta(minutes=10)
LONGEST_TTL = timedelta(hours=1)
_MOST_TOKENS = 10**9


@dataclass(frozen=True)
class ReservationRequest:
    """The valid body of a POST to /api/v1/reservations.

    If `amount_nanos` is None, the amount is estimated from the model and the numbers of tokens.
    """

    named: Named
    names: ModelNames
    input_tokens: int
    max_output_tokens: int
    amount_nanos: int | None
    request_id: str
    ttl: timedelta

    def wanted(self, team: Team, now: datetime) -> Wanted:
        """Returns what to reserve: the given amount, or the most that a call with so many tokens can cost.

        The price is looked up in the same way as for a recorded call. Without a price, the amount is the one
        that the team has set for such calls.
        """
        model = self.names.model
        if self.amount_nanos is not None:
            return Wanted(self.amount_nanos, self.ttl, model, self.request_id)
        tokens = Tokens(self.input_tokens, self.max_output_tokens)
        priced = PriceList([model]).price(self.names, now, tokens)
        is_unpriced = priced.by is PricedBy.NOTHING
        amount_nanos = unpriced_reserve_of(team) if is_unpriced else priced.cost_nanos
        return Wanted(amount_nanos, self.ttl, model, self.request_id, is_unpriced)


def read_reservation(request: HttpRequest) -> ReservationRequest:
    """Reads and checks the body of the request. Raises ApiError that names the wrong field."""
    body = read_object(request)
    model = _text(body, "model", 128)
    has_tokens = body.get("input_tokens") is not None or body.get("max_output_tokens") is not None
    amount = _amount(body.get("amount_usd"))
    if amount is None and not model:
        raise _invalid("model", _("Send what to reserve: amount_usd, or model with token counts."))
    if amount is None and not has_tokens:
        raise _invalid("input_tokens", _("Send amount_usd, or input_tokens and max_output_tokens."))
    ttl = _whole(body, "ttl_seconds", int(DEFAULT_TTL.total_seconds()), int(LONGEST_TTL.total_seconds()), 1)
    return ReservationRequest(
        named=Named(_text(body, "token", 254), _text(body, "team", 254), _text(body, "member", 254)),
        names=ModelNames(
            model,
            _text(body, "provider", 64),
            _text(body, "response_model", 256),
            _tier(body),
        ),
        input_tokens=_whole(body, "input_tokens", 0, _MOST_TOKENS),
        max_output_tokens=_whole(body, "max_output_tokens", 0, _MOST_TOKENS),
        amount_nanos=amount,
        request_id=_text(body, "request_id", 128),
        ttl=timedelta(seconds=ttl),
    )


def read_object(request: HttpRequest) -> dict[str, Any]:
    """Returns the JSON object in the body, with fractions as Decimal. Raises ApiError if there is none."""
    if request.content_type != "application/json":
        message = _("Send it with a Content-Type of application/json.")
        raise ApiError(415, "unsupported_media_type", message)
    try:
        data = request.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ApiError(413, "too_large", _("Send at most 64 KiB."))
        found = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError, UnreadablePostError) as error:
        raise ApiError(400, "invalid_json", _("The body is not JSON.")) from error
    if not isinstance(found, dict):
        raise ApiError(400, "invalid_request", _("Send a JSON object."))
    return found


def _text(body: dict[str, Any], field: str, limit: int) -> str:
    """Returns a string field; "" if it is missing or null. Raises ApiError if it is not a string, or too long."""
    value = body.get(field)
    if value is None:
        return ""
    # Databases store neither NUL characters nor unpaired surrogates.
    if not isinstance(value, str) or "\0" in value or not _is_unicode(value):
        raise _invalid(field, _("%(field)s must be a string.") % {"field": field})
    if len(value) > limit:
        message = _("%(field)s must have at most %(limit)d characters.")
        raise _invalid(field, message % {"field": field, "limit": limit})
    return value


def _tier(body: dict[str, Any]) -> str:
    tier = _text(body, "service_tier", 64)
    if tier and tier not in SERVICE_TIERS:
        message = _("%(field)s must be one of: %(words)s.")
        raise _invalid("service_tier", message % {"field": "service_tier", "words": ", ".join(SERVICE_TIERS)})
    return tier


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole(body: dict[str, Any], field: str, default: int, most: int, least: int = 0) -> int:
    value = body.get(field)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        message = _("%(field)s must be a whole number from %(least)d to %(most)d.")
        raise _invalid(field, message % {"field": field, "least": least, "most": most})
    return value


def _amount(value: object) -> int | None:
    if value is None:
        return None
    try:
        return amount_nanos(read_usd(value))
    except AmountError as error:
        raise _invalid("amount_usd", str(error)) from error


def _invalid(param: str, message: str) -> ApiError:
    return ApiError(400, "invalid_request", message, param=param)
