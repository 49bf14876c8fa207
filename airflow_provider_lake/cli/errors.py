"""What a command says when it cannot go on."""


class CommandError(Exception):
    """A command cannot do what it was asked; the message is one line for the user."""
