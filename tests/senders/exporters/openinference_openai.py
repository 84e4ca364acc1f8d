"""OpenInference's instrumentation of OpenAI's SDK."""

from calls import call_openai, exporting
from openinference.instrumentation.openai import OpenAIInstrumentor

with exporting():
    OpenAIInstrumentor().instrument()
    call_openai()
