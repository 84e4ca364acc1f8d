"""OpenTelemetry's older instrumentation of OpenAI's SDK, by its older names of attributes."""

from calls import call_openai, exporting
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

with exporting():
    OpenAIInstrumentor().instrument()
    call_openai(with_responses=False)  # which it does not trace
