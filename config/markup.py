"""Markup that pages have much of: what stands in every row of a table, and the data of charts."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.safestring import SafeString


def markup(pattern: str, *values: Any) -> SafeString:
    """The pattern with a value for each `%s`, escaped unless it is markup already.

    What Django's `format_html` does for `{}`, in a quarter of the time; a page makes hundreds of these.
    """
    return SafeString(
        pattern % tuple(value if hasattr(value, "__html__") else escape(str(value)) for value in values)
    )


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Markup of several parts, one after the other."""
    return SafeString("".join(parts))


def script_data(value: Any, element_id: str) -> SafeString:
    """The value as JSON in a script element, which nothing in it can end.

    What Django's `json_script` does, in a tenth of the time: that looks up each character.
    """
    text = json.dumps(value, cls=DjangoJSONEncoder)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04X}")
    return markup('<script id="%s" type="application/json">%s</script>', element_id, SafeString(text))
