"""OpenInference's instrumentation of Anthropic's SDK, which has spans of its own."""

from calls import call_anthropic, exporting
from openinference.instrumentation.anthropic import AnthropicInstrumentor

with exporting():
    AnthropicInstrumentor().instrument()
    call_anthropic()
