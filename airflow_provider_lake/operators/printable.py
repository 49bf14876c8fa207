"""Names of files as text that can be shown, logged and stored: not every name is UTF-8."""

import os


def printable(text: str) -> str:
    r"""Return text in which bytes that are no UTF-8 stand escaped, as ``caf\xe9.jpg``; other text stays as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(text).decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # halves of UTF-16 pairs, which stand for no byte
            return text.encode("utf-8", "backslashreplace").decode()
    return text
