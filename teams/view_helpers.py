"""Helpers of views: get the signed-in user and their access to a team, and run actions with messages."""

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
    """Returns the signed-in user. LoginRequiredMiddleware ensures that there is one."""
    assert isinstance(request.user, User)
    return request.user


def access_for(request: HttpRequest, slug: str, permission: Permission) -> Access:
    """Returns the signed-in user's access to a team, after checking that their role includes `permission`.

    Raises Http404 if the user is not a member, and PermissionDenied (403) if the role lacks the permission.
    """
    return team_for(signed_in_user(request), slug, permission)


def run_action(request: HttpRequest, done: str, action: Callable[..., object], **arguments: Any) -> bool:
    """Runs an action and returns whether it succeeded. The next page shows the message `done` or the error.

    `arguments` are those of the action. An ActionError becomes a message, but a NotAllowedError becomes a 403.
    """
    refused = object()
    if run_action_for_result(request, action, refused=refused, **arguments) is refused:
        return False
    messages.success(request, done)
    return True


def run_action_for_result(
    request: HttpRequest, action: Callable[..., Any], *, refused: object = None, **arguments: Any
) -> Any:
    """Runs an action and returns its result. If it raises an ActionError, returns `refused` and adds a message.

    `arguments` are those of the action. The next page shows the message. A NotAllowedError becomes a 403.
    """
    try:
        return action(**arguments)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except ActionError as error:
        messages.error(request, str(error))
        return refused


def run_form_action(form: BaseForm, action: Callable[..., Any], **arguments: Any) -> Any:
    """Runs an action with the data of a valid form and returns its result. If it is refused, returns None.

    `arguments` are those of the action. An ActionError or ValidationError is added to the form, a
    NotAllowedError becomes a 403.
    """
    try:
        return action(**arguments)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except ActionError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    except ValidationError as error:
        form.add_error(None, error)
    return None
