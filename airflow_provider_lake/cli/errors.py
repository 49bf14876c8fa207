"""The error that a command reports to its user."""


class CommandError(Exception):
    """A command cannot be completed; the message is one line for the user."""
