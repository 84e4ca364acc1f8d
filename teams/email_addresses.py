"""Queries about the e-mail addresses of django-allauth."""

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef


def address_is_confirmed(user: str, email: str) -> Exists:
    """A condition: the address with which a user signs in is confirmed.

    `user` and `email` name the fields of the outer query.
    """
    return Exists(
        EmailAddress.objects.filter(user=OuterRef(user), email__iexact=OuterRef(email), verified=True)
    )
