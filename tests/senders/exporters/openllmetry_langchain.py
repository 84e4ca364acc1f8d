"""OpenLLMetry's instrumentations of LangChain and, below it, of OpenAI's SDK."""

from calls import call_langchain, exporting
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

with exporting():
    LangchainInstrumentor().instrument()
    OpenAIInstrumentor().instrument()
    call_langchain()
