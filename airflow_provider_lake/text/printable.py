"""Names of files as text that can be shown, logged and stored: not every name is UTF-8."""

import os

UNDECODABLE_NAME = "its name is not UTF-8, and a lake keeps names as text"


def is_decodable(name: str) -> bool:
    """Whether a name can be sent and stored as text: the names of some files are bytes that are no UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_printable(text: str) -> str:
    r"""Return text in which bytes that are no UTF-8 stand escaped, as ``caf\xe9.jpg``; other text stays as it is."""
    if is_decodable(text):
        return text
    try:
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # halves of UTF-16 pairs, which stand for no byte
        return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    """Return text for a line of a log, control characters escaped, for names may hold the ends of lines."""
    return "".join(each if each.isprintable() or each == " " else repr(each)[1:-1] for each in to_printable(text))
