"""Creates and deletes the site's own prices of models. The cost of recorded calls stays the same."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from teams.actions.checks import require_superuser
from teams.activity import Actor, record_activity
from teams.errors import ActionError, ConflictError
from usage.prices.models import Price


@transaction.atomic
def create_price(*, by: Actor, price: Price) -> Price:
    """Stores a price that applies to calls that begin at `valid_from` or later and are reported from now on.

    Raises NotAllowedError, ActionError for invalid values, and ConflictError if the model already has a price
    with the same `valid_from`.
    """
    require_superuser(by)
    try:
        price.full_clean(validate_unique=False, validate_constraints=False)
        with transaction.atomic():
            price.save(force_insert=True)
    except ValidationError as error:
        raise ActionError(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise ConflictError(_("This model already has a price from this time on.")) from error
    record_activity(by=by, team=None, kind="price.created", subject=price.model, after=_told(price))
    return price


@transaction.atomic
def delete_price(*, by: Actor, price: Price) -> None:
    """Deletes one of the site's prices of a model. Calls reported from now on get the site's earlier price of
    that model or, if there is none, the price in the public list.

    Raises NotAllowedError.
    """
    require_superuser(by)
    before = _told(price)
    price.delete()
    record_activity(by=by, team=None, kind="price.deleted", subject=price.model, before=before)


def _told(price: Price) -> dict[str, Any]:
    rates = {
        name: getattr(price, name) for name in ("input_usd", "output_usd", "cached_usd", "cache_write_usd")
    }
    told = {name: str(rate) for name, rate in rates.items() if rate is not None}
    return {"valid_from": price.valid_from.isoformat()} | told
