"""Converts filenames to text that can be printed, logged and stored: not every filename is UTF-8."""

import os

UNDECODABLE_NAME = "its name is not UTF-8, and a lake keeps names as text"


def is_decodable(name: str) -> bool:
    """Whether a name can be sent and stored as text: some filenames are bytes that are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_printable(text: str) -> str:
    r"""Return text with bytes that are not UTF-8 escaped, as in ``caf\xe9.jpg``; other text is not changed."""
    if is_decodable(text):
        return text
    try:
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that do not stand for a byte
        return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    """Return text for one line of a log, with control characters escaped, because names may contain line breaks."""
    return "".join(each if each.isprintable() or each == " " else repr(each)[1:-1] for each in to_printable(text))
