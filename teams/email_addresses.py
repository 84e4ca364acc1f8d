"""Queries about the e-mail addresses of django-allauth."""

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef


def address_is_confirmed(user: str, email: str) -> Exists:
    """Returns a condition for querysets: the e-mail address with which a user signs in is verified.

    `user` and `email` are the names of the fields of the queryset that hold the user and the address.
    """
    return Exists(
        EmailAddress.objects.filter(user=OuterRef(user), email__iexact=OuterRef(email), verified=True)
    )
