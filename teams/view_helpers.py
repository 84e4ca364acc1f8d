"""What the views of `teams` share: who asks, what becomes of a refused action."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.forms import BaseForm
from django.http import HttpRequest

from teams.access import Access, Permission, team_for
from teams.errors import ActionError, NotAllowedError
from teams.models import User


def signed_in_user(request: HttpRequest) -> User:
    """The signed-in user; every view but the marked ones has one (LoginRequiredMiddleware)."""
    assert isinstance(request.user, User)
    return request.user


def access_for(request: HttpRequest, slug: str, permission: Permission) -> Access:
    """The team as the signed-in user may use it: 404 for outsiders, 403 for too low a role."""
    return team_for(signed_in_user(request), slug, permission)


def run_action(request: HttpRequest, done: str, action: Callable[..., object], **arguments: Any) -> bool:
    """Runs an action of one button and says on the next page what came of it; whether it was done.

    A lost race is told in the action's words. What the role forbids is 403.
    """
    refused = object()
    if run_action_for_result(request, action, refused=refused, **arguments) is refused:
        return False
    messages.success(request, done)
    return True


def run_action_for_result(
    request: HttpRequest, action: Callable[..., Any], *, refused: object = None, **arguments: Any
) -> Any:
    """What an action of one button returns; `refused` when it was, and the next page says why."""
    try:
        return action(**arguments)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except ActionError as error:
        messages.error(request, str(error))
        return refused


def run_form_action(form: BaseForm, action: Callable[..., Any], **arguments: Any) -> Any:
    """Runs an action with what a valid form says; None when refused, with the reason at the right field."""
    try:
        return action(**arguments)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except ActionError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    except ValidationError as error:
        form.add_error(None, error)
    return None
