"""Errors of actions, with messages for users."""


class ActionError(Exception):
    """An action was refused. `str(error)` is the message for the user, `field` the form field it is about."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotAllowedError(ActionError):
    """The role of the actor does not allow the action."""


class ConflictError(ActionError):
    """The state does not allow the action, for example because somebody else changed it first."""
