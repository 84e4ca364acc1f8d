"""OpenTelemetry's own instrumentation of OpenAI's SDK."""

from calls import call_openai, exporting
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

with exporting():
    OpenAIInstrumentor().instrument()
    call_openai()
