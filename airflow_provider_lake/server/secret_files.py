"""The files with a lake's secrets: validated when read, written atomically."""

import logging
import os
import secrets
import stat
from pathlib import Path

from airflow_provider_lake.server.blobs.folder import sync

_SECRET_BYTES = 32
_OTHERS_BITS = stat.S_IRWXG | stat.S_IRWXO

logger = logging.getLogger(__name__)


class SecretFileError(Exception):
    """A file does not hold a valid secret of its kind; the message is one sentence that says why."""


def checked_token(text: str) -> str:
    """Return an API token without the white space around it.

    :raises SecretFileError: it is empty, has several lines, or has characters that no client can send.
    """
    token = text.removeprefix("\ufeff").strip()
    if not token:
        raise SecretFileError("the token is empty")
    if len(token.splitlines()) > 1:
        raise SecretFileError("the token is to stand alone, there are several lines")
    if not token.isascii() or not token.isprintable():
        raise SecretFileError("the token holds characters that no token has")
    return token


def read_token(path: Path) -> str:
    """Return the API token in a file, which may contain only that and white space.

    :raises SecretFileError: it cannot be read, or does not hold a token.
    """
    try:
        return checked_token(path.read_bytes().decode())
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SecretFileError(f"{path} holds no text") from None
    except SecretFileError as error:
        raise SecretFileError(f"{path}: {error}") from None


def is_readable_by_others(path: Path) -> bool:
    """Whether other users of this machine can read or change a file."""
    return bool(path.stat().st_mode & _OTHERS_BITS)


def read_or_create_token(path: Path) -> str:
    """Return the token of a lake's owner; create it if it does not exist.

    :raises SecretFileError: its file cannot be read or written, or holds something else.
    """
    try:
        _create_exclusively(path, secrets.token_urlsafe(_SECRET_BYTES).encode())
        return read_token(path)
    except SecretFileError as error:
        raise SecretFileError(f"cannot read the token: {error}") from error


def read_or_create_key(path: Path) -> bytes:
    """Return the key that a lake signs with; create it if it does not exist.

    :raises SecretFileError: its file cannot be read or written, or is too short for a key.
    """
    _create_exclusively(path, secrets.token_bytes(_SECRET_BYTES))
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error
    if len(key) < _SECRET_BYTES:
        raise SecretFileError(f"{path} holds {len(key)} bytes, no key; remove it, and the lake makes another")
    return key


def _create_exclusively(path: Path, content: bytes) -> None:
    """Write a secret unless there is one: a missing file, or one with only white space, counts as none."""
    try:
        if path.exists():
            if not path.is_file() or path.stat().st_size > len(content) or path.read_bytes().strip():
                return
            logger.warning("%s was empty: another is made", path)
        _write(path, content)
    except OSError as error:
        raise SecretFileError(f"{path} cannot be used: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    """Write a file atomically, readable by its owner only."""
    temporary = path.with_name(f"{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync(path.parent)
