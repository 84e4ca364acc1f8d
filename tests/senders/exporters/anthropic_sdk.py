"""The spans that Anthropic's SDK makes by itself."""

from calls import call_anthropic, exporting

with exporting():
    call_anthropic()
