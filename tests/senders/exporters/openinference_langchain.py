"""OpenInference's instrumentation of LangChain.

Of an SDK below it another of theirs makes traces of its own, so that nobody could know two spans for one call.
"""

from calls import call_langchain, exporting
from openinference.instrumentation.langchain import LangChainInstrumentor

with exporting():
    LangChainInstrumentor().instrument()
    call_langchain()
