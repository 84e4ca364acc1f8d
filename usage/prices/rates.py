"""The rates of one price, and the cost of tokens computed from them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

_MILLION = 1_000_000

# Kinds of tokens that have rates of their own.
Kind = Literal[
    "input", "input_audio", "cached", "cache_write", "cache_write_1h", "output", "output_audio", "reasoning"
]


class Tokens(NamedTuple):
    """The tokens to pay for. `input` includes `cached`, `cache_write` and `input_audio`, `cache_write` includes
    `cache_write_1h`, `output` includes `output_audio` and `reasoning`.
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
    """A number of tokens of one kind at a price per million."""

    kind: Kind
    tokens: int
    usd: Decimal


@dataclass(frozen=True)
class Rates:
    """US dollars per million tokens of each kind, and per thousand calls where a call itself is charged.

    None for a kind: it costs the same as the kind that includes it.
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
        """The cost in nano-dollars, rounded half to even once, at the sum."""
        if any(tokens[4:]) and self._has_more_kinds():
            usd_millions = sum((part.tokens * part.usd for part in self.parts(tokens)), Decimal(0))
        else:  # the same for the usual kinds, without the list: every recorded call comes here
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
        """The tokens by rate; every token is in one part, and empty kinds are left out.

        Audio tokens beyond the uncached input were cached, and cost the cached rate.
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
    """Tokens with their own rate, at most as many as the kind that includes them; none without such a rate."""
    return Part(kind, 0, Decimal(0)) if usd is None else Part(kind, min(tokens, whole), usd)
