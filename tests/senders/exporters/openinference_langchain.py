"""OpenInference's instrumentations of LangChain and, below it, of OpenAI's SDK."""

from calls import call_langchain, exporting
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

with exporting():
    LangChainInstrumentor().instrument()
    OpenAIInstrumentor().instrument()
    call_langchain()
