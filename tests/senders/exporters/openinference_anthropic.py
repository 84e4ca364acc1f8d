"""OpenInference's instrumentation of Anthropic's SDK, which has spans of its own."""

from calls import call_anthropic, exporting
from openinference.instrumentation.anthropic import AnthropicInstrumentor

with exporting():
    AnthropicInstrumentor().instrument()
    # Of the helper it makes a trace of its own, without the id of the response: nobody can know the two for one call.
    call_anthropic(with_helper=False)
