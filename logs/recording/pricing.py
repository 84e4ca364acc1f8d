"""Determines the cost of a call, for reported and for stored calls."""

from typing import Final

from logs.formats.reported import ReportedCall
from logs.formats.statuses import CLIENT_DISCONNECTED
from logs.models import Call
from usage.prices.models import PricedBy
from usage.prices.price_list import Priced, PriceList
from usage.prices.public_list import ModelNames
from usage.prices.rates import Tokens
from usage.rollups.models import Outcome

# The metadata key that marks a call as answered from a gateway's cache: such a call rightly costs $0.
CACHE_HIT: Final = "cache_hit"


def price_reported(call: ReportedCall, outcome: Outcome, prices: PriceList) -> Priced:
    """Returns the cost of a reported call and its source.

    A cost in the report is used as it is. Otherwise a failed call costs 0, and other calls are priced by their
    tokens; a call whose client disconnected (499) counts as one that used tokens. `worth_nanos` is the price of
    a call that was reported at $0 although it used tokens and was not answered from a cache.
    """
    uses_tokens = outcome == Outcome.SUCCEEDED or call.status == CLIENT_DISCONNECTED
    if call.cost_nanos is not None:
        is_doubtful = call.cost_nanos == 0 and uses_tokens and not call.metadata.get(CACHE_HIT)
        worth_nanos = computed_price(call, prices).cost_nanos if is_doubtful else 0
        return Priced(call.cost_nanos, PricedBy.REPORT, worth_nanos=worth_nanos)
    if not uses_tokens:
        return Priced(0, PricedBy.FAILURE)
    return computed_price(call, prices)


def stored_worth(call: Call, prices: PriceList) -> int:
    """Returns the price in nano-dollars of a stored call that was reported at $0.

    Returns 0 for all other calls, for calls that failed or were answered from a cache, and if no price is
    known.
    """
    uses_tokens = call.outcome == Outcome.SUCCEEDED or call.status == CLIENT_DISCONNECTED
    is_reported = call.priced_by == PricedBy.REPORT and call.cost_nanos == 0
    if not (is_reported and uses_tokens) or call.metadata.get(CACHE_HIT):
        return 0
    return prices.price(stored_names(call), call.started_at, stored_tokens(call)).cost_nanos


def computed_price(call: ReportedCall, prices: PriceList) -> Priced:
    """Returns the price of a call by its model and tokens, ignoring a cost that the report contains."""
    tokens = Tokens(
        call.input_tokens,
        call.output_tokens,
        call.cached_tokens,
        call.cache_write_tokens,
        call.cache_write_1h_tokens,
        call.input_audio_tokens,
        call.output_audio_tokens,
        call.reasoning_tokens,
    )
    named = ModelNames(call.model, call.provider, call.response_model, call.service_tier)
    return prices.price(named, call.started_at, tokens)


def stored_names(call: Call) -> ModelNames:
    """Returns the names by which a stored call's price is looked up: models, provider, service tier.

    Calls that were stored before version 0.3 have neither the answering model nor the service tier.
    """
    details = call.details or {}
    return ModelNames(
        call.model, call.provider, details.get("response_model", ""), details.get("service_tier", "")
    )


def stored_tokens(call: Call) -> Tokens:
    details = call.details or {}
    return Tokens(
        input=call.input_tokens,
        output=call.output_tokens,
        cached=call.cached_tokens,
        cache_write=call.cache_write_tokens,
        cache_write_1h=details.get("cache_write_1h_tokens", 0),
        input_audio=details.get("input_audio_tokens", 0),
        output_audio=details.get("output_audio_tokens", 0),
        reasoning=call.reasoning_tokens,
    )
