"""The fields of filters: made here, where a template for each of the dozen took a tenth of a list's time."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from config.markup import joined, markup
from logs.chips import Chip

register = template.Library()


@register.simple_tag
def chip_fields(one: Chip) -> SafeString:
    """The two ends of a range side by side, or a single field under its own name.

    Without errors: chips are there only when the filters make sense.
    """
    side_by_side, label_style = (_RANGE, _SHOWN) if one.unit else (_SINGLE, _HIDDEN)
    fields = joined(
        markup(_FIELD, bound.id_for_label, label_style, bound.label, bound.as_widget()) for bound in one.fields
    )
    return markup(_FIELDS, one.label, one.unit, side_by_side, fields)


_RANGE, _SINGLE = mark_safe(' class="range-row"'), mark_safe("")
_SHOWN, _HIDDEN = mark_safe(""), mark_safe(' class="visually-hidden"')
_FIELD = '<div class="field"><label for="%s"%s>%s</label>%s</div>'
_FIELDS = (
    '<fieldset class="choices"><legend class="label">%s <span class="faint">%s</span></legend>'
    "<div%s>%s</div></fieldset>"
)
