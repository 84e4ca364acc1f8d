"""Builds HTML for table rows and chart data in Python, where templates would be too slow."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.safestring import SafeString


def markup(pattern: str, *values: Any) -> SafeString:
    """Returns `pattern` as HTML, with a value for each `%s`. Values are escaped unless they are HTML already.

    It does what Django's `format_html` does, in a quarter of the time; a page calls it hundreds of times.
    """
    return SafeString(
        pattern % tuple(value if hasattr(value, "__html__") else escape(str(value)) for value in values)
    )


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Returns pieces of HTML as one piece."""
    return SafeString("".join(parts))


def script_data(value: Any, element_id: str) -> SafeString:
    """Returns a value as JSON in a script element, escaped so that the JSON cannot end the element.

    It does what Django's `json_script` does, in a tenth of the time.
    """
    text = json.dumps(value, cls=DjangoJSONEncoder)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04X}")
    return markup('<script id="%s" type="application/json">%s</script>', element_id, SafeString(text))
