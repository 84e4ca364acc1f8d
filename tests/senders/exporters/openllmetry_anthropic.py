"""OpenLLMetry's instrumentation of Anthropic's SDK, whose own spans are switched off."""

import os

from calls import call_anthropic, exporting
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

with exporting():
    # The two are not parent and child but of two traces: nobody could know them for one call.
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"
    AnthropicInstrumentor().instrument()
    call_anthropic()
