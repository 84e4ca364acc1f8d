"""The errors that actions raise, with messages for users."""


class ActionError(Exception):
    """Raised if an action is refused.

    `str(error)` is the message for the user, `field` the invalid form field, if any.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotAllowedError(ActionError):
    """Raised if the actor has no right to run the action."""


class ConflictError(ActionError):
    """Raised if the current state does not allow the action, for example if somebody else changed it first."""
