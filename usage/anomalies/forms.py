"""The form that marks an anomaly as expected."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy


class ExpectedForm(forms.Form):
    """The reason why an episode is expected.

    The form also posts the query string of its page as `page`, to find the episode and to return to the page.
    """

    episode = forms.CharField(max_length=100)
    reason = forms.CharField(
        label=gettext_lazy("Why was this expected?"),
        max_length=200,
        error_messages={
            "required": gettext_lazy("Enter why this was expected."),
            "max_length": gettext_lazy(
                "The reason has %(show_value)d characters; enter at most %(limit_value)d."
            ),
        },
    )

    @property
    def page(self) -> QueryDict:
        """The query parameters of the page that the form was on."""
        return QueryDict(self.data.get("page", "")[:4000])
