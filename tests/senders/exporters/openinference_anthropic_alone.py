"""OpenInference's instrumentation of Anthropic's SDK, whose own spans are switched off."""

import os

from calls import call_anthropic, exporting
from openinference.instrumentation.anthropic import AnthropicInstrumentor

with exporting():
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # read when a client is made
    AnthropicInstrumentor().instrument()
    call_anthropic()
