"""The form that adds a price of a model."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from usage.prices.models import Price


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of a new price. Prices are never edited; a new one with a later `valid_from` replaces them."""

    class Meta:
        model = Price
        fields = ("model", "valid_from", "input_usd", "output_usd", "cached_usd", "cache_write_usd")
        help_texts: ClassVar = {
            "model": _("The model name as shown in the logs."),
            "valid_from": _("For calls that start at this time or later. Recorded calls keep their cost."),
            "cached_usd": _("Leave empty to use the input price."),
            "cache_write_usd": _("Leave empty to use the input price."),
        }
