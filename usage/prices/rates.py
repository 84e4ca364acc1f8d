"""The rates of a price (dollars per million tokens of each kind), and the cost computed from them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

_MILLION = 1_000_000

# Kinds of tokens that have rates of their own.
Kind = Literal[
    "input", "input_audio", "cached", "cache_write", "cache_write_1h", "output", "output_audio", "reasoning"
]


class Tokens(NamedTuple):
    """The numbers of tokens of a call, by kind.

    `input` includes `cached`, `cache_write` and `input_audio`; `cache_write` includes `cache_write_1h`;
    `output` includes `output_audio` and `reasoning`.
    """

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    output_audio: int = 0
    reasoning: int = 0


class Part(NamedTuple):
    """A number of tokens that are charged at the same rate (`usd` per million tokens)."""

    kind: Kind
    tokens: int
    usd: Decimal


@dataclass(frozen=True)
class Rates:
    """US dollars per million tokens of each kind, and per thousand calls for models that charge for the call
    itself.

    A kind that is None costs the same as the kind that includes it.
    """

    input: Decimal
    output: Decimal
    cached: Decimal
    cache_write: Decimal
    thousand_calls: Decimal = Decimal(0)
    cache_write_1h: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    reasoning: Decimal | None = None

    def cost_nanos(self, tokens: Tokens) -> int:
        """Returns the cost in nano-dollars. Only the sum is rounded, half to even."""
        if any(tokens[4:]) and self._has_more_kinds():
            usd_millions = sum((part.tokens * part.usd for part in self.parts(tokens)), Decimal(0))
        else:  # the same without building the list of parts, because this runs for every recorded call
            usd_millions = tokens.input * self.input + tokens.output * self.output
            if tokens.cached or tokens.cache_write:
                plain = max(0, tokens.input - tokens.cached - tokens.cache_write)
                usd_millions += (plain - tokens.input) * self.input
                usd_millions += tokens.cached * self.cached + tokens.cache_write * self.cache_write
        # A dollar per million tokens is a thousand nano-dollars per token.
        nanos = usd_millions * 1000
        if self.thousand_calls:
            nanos += self.thousand_calls * _MILLION
        return int(nanos.to_integral_value(ROUND_HALF_EVEN))

    def _has_more_kinds(self) -> bool:
        more = (self.cache_write_1h, self.input_audio, self.output_audio, self.reasoning)
        return any(usd is not None for usd in more)

    def parts(self, tokens: Tokens) -> list[Part]:
        """Splits the tokens into parts by rate. Each token is in exactly one part; empty parts are left out.

        Audio tokens beyond the uncached input must have been cached, so they cost the cached rate.
        """
        plain = max(0, tokens.input - tokens.cached - tokens.cache_write)
        heard = _part("input_audio", tokens.input_audio, self.input_audio, plain)
        hour = _part("cache_write_1h", tokens.cache_write_1h, self.cache_write_1h, tokens.cache_write)
        spoken = _part("output_audio", tokens.output_audio, self.output_audio, tokens.output)
        thought = _part("reasoning", tokens.reasoning, self.reasoning, tokens.output - spoken.tokens)
        parts = (
            Part("input", plain - heard.tokens, self.input),
            heard,
            Part("cached", tokens.cached, self.cached),
            Part("cache_write", tokens.cache_write - hour.tokens, self.cache_write),
            hour,
            Part("output", tokens.output - spoken.tokens - thought.tokens, self.output),
            spoken,
            thought,
        )
        return [part for part in parts if part.tokens]


def _part(kind: Kind, tokens: int, usd: Decimal | None, whole: int) -> Part:
    """Returns the tokens of a kind with its own rate `usd`, at most `whole`, the tokens of the kind that
    includes it.

    Returns an empty part if the kind has no rate of its own.
    """
    return Part(kind, 0, Decimal(0)) if usd is None else Part(kind, min(tokens, whole), usd)
