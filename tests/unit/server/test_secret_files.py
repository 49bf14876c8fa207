"""A file that holds no secret is refused in one sentence, or made anew where it is the lake's own."""

from pathlib import Path

import pytest

from airflow_provider_lake.server.secret_files import (
    SecretFileError,
    checked_token,
    is_readable_by_others,
    read_or_create_key,
    read_or_create_token,
    read_token,
)
from tests.ordinary_user import ordinary_user

TOKEN = "a-token-that-is-long-enough"


@pytest.mark.parametrize(
    "content", [TOKEN, f"{TOKEN}\n", f"{TOKEN}\r\n", f"\n  {TOKEN}\t\n", f"\ufeff{TOKEN}\r\n"], ids=ascii
)
def test_a_token_is_read_as_editors_leave_it(content: str, tmp_path: Path) -> None:
    """With the ends of lines of any system, white space, and the mark that some put before a text."""
    (tmp_path / "token").write_text(content, encoding="utf-8", newline="")
    assert read_token(tmp_path / "token") == TOKEN


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the token is empty"),
        (b" \r\n\t", "the token is empty"),
        (b"\xef\xbb\xbf\n", "the token is empty"),
        (b"one\ntwo\n", "several lines"),
        ("Schlüssel".encode(), "characters that no token has"),
        (b"a\x00b", "characters that no token has"),
        (b"\xff\xfe\x00", "no text"),
    ],
)
def test_what_is_no_token_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    """The sentence names the file and says why."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(SecretFileError, match=reason) as raised:
        read_token(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    """One that is missing, and a folder."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SecretFileError, match=f"{name} cannot be read"):
        read_token(tmp_path / name)


def test_a_file_of_another_user_is_named(tmp_path: Path) -> None:
    """It cannot be read, and nothing is made in its place."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o000)
    with ordinary_user(), pytest.raises(SecretFileError, match="Permission denied"):
        read_or_create_token(tmp_path / "token")


@pytest.mark.parametrize("content", [None, b"", b"\n"])
def test_the_lake_makes_its_own_anew_where_there_is_none(content: bytes | None, tmp_path: Path) -> None:
    """A start that was cut off, or a full disk, left a file with nothing in it; what is made is only its owner's."""
    if content is not None:
        (tmp_path / "token").write_bytes(content)
        (tmp_path / "key").write_bytes(b"")
    token, key = read_or_create_token(tmp_path / "token"), read_or_create_key(tmp_path / "key")
    assert checked_token(token) == token
    assert len(token) >= 32
    assert len(key) == 32
    assert not is_readable_by_others(tmp_path / "token")
    assert not is_readable_by_others(tmp_path / "key")
    assert (read_or_create_token(tmp_path / "token"), read_or_create_key(tmp_path / "key")) == (token, key)


def test_a_key_that_is_cut_off_signs_nothing(tmp_path: Path) -> None:
    """With a few bytes anybody could guess what it signs."""
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(SecretFileError, match="holds 5 bytes, no key"):
        read_or_create_key(tmp_path / "key")


def test_a_token_of_the_owner_that_is_none_is_not_overwritten(tmp_path: Path) -> None:
    """Somebody put it there."""
    (tmp_path / "token").write_text("one\ntwo")
    with pytest.raises(SecretFileError, match="several lines"):
        read_or_create_token(tmp_path / "token")
    assert (tmp_path / "token").read_text() == "one\ntwo"
