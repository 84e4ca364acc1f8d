"""What an action says when it cannot be done: a message that a person can act on."""


class ActionError(Exception):
    """An action was refused: `str(error)` is for the person, `field` names the form field to blame, if any."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotAllowedError(ActionError):
    """The actor's role does not permit this."""


class ConflictError(ActionError):
    """Somebody else was faster, or the state no longer permits it."""
