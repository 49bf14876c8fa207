"""Forms that arrive in pieces."""

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Request

from airflow_provider_lake.server.blobs.form import MAX_FIELD_BYTES, MAX_FIELDS, FormReader
from airflow_provider_lake.server.blobs.incoming import IncomingFile
from airflow_provider_lake.server.errors import BadRequestError, TooLargeError

CONTENT_TYPE = "multipart/form-data; boundary=edge"
FIELDS = {"key": "data/ü.jpg", "policy": "p" * 100, "Content-Type": "image/jpeg"}
CONTENT = b"\r\n--edge \r\n--edg\r\n-" * 3


def _encoded(content: bytes) -> tuple[str, bytes]:
    """Encode a form as clients do."""
    request = Request("POST", "http://lake", data=FIELDS, files={"file": ("ü.jpg", content)}).prepare()
    assert isinstance(request.body, bytes)
    return str(request.headers["Content-Type"]), request.body


def _read(content_type: str, pieces: Sequence[bytes], max_bytes: int = 1 << 20) -> tuple[dict[str, str], bytes]:
    """Read a form, and return the fields before its file, and the file."""
    before: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, IncomingFile(Path(folder) / "file") as incoming:

        def open_file(fields: dict[str, str]) -> tuple[IncomingFile, int]:
            before.update(fields)
            return incoming, max_bytes

        form = FormReader(content_type, open_file)
        for piece in pieces:
            form.feed(piece)
        form.finish()
        incoming.finish()
        return before, incoming.path.read_bytes()


@given(content=st.binary(max_size=200) | st.just(CONTENT), cuts=st.lists(st.integers(0, 2000), max_size=30))
def test_it_does_not_matter_where_a_form_is_split(content: bytes, cuts: list[int]) -> None:
    """The same fields and the same bytes, wherever the pieces end: within headers, separators or letters."""
    content_type, body = _encoded(content)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]

    assert _read(content_type, [body[start:end] for start, end in pairwise(edges)]) == (FIELDS, content)


def test_a_form_can_come_byte_by_byte() -> None:
    """The most that it can be split."""
    content_type, body = _encoded(CONTENT)

    assert _read(content_type, [bytes([byte]) for byte in body]) == (FIELDS, CONTENT)


@given(st.integers(min_value=0))
def test_a_form_that_is_cut_off_is_refused(length: int) -> None:
    """Wherever it ends before its end."""
    content_type, body = _encoded(b"content")
    with pytest.raises(BadRequestError):
        _read(content_type, [body[: length % (len(body) - len("--\r\n"))]])


@given(st.binary() | st.binary().map(lambda rest: b"--edge\r\n" + rest))
def test_what_is_no_form_is_refused(body: bytes) -> None:
    """Never with an error of another kind."""
    with pytest.raises(BadRequestError):
        _read(CONTENT_TYPE, [body])


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=edge", "multipart/form-data; boundary="],
)
def test_a_form_needs_its_type_and_a_boundary(content_type: str) -> None:
    """Without them it cannot be read."""
    with pytest.raises(BadRequestError):
        _read(content_type, [_encoded(b"content")[1]])


def _part(name: str, content: bytes = b"") -> bytes:
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"".join(_part(str(number)) for number in range(MAX_FIELDS + 1)) + _part("file"),
        _part("field", b"x" * (MAX_FIELD_BYTES + 1)) + _part("file"),
        b"--edge\r\n" + b"x" * 100_000 + b": y\r\n\r\n\r\n",
        _part("file") + _part("file"),
        _part("field"),
    ],
    ids=["many fields", "a large field", "a large header", "two files", "no file"],
)
def test_a_form_beyond_its_limits_is_refused(body: bytes) -> None:
    """Before it fills the memory."""
    with pytest.raises(BadRequestError):
        _read(CONTENT_TYPE, [body + b"--edge--\r\n"])


def test_a_file_larger_than_allowed_is_refused() -> None:
    """To the byte."""
    content_type, body = _encoded(b"12345")

    assert _read(content_type, [body], max_bytes=5)[1] == b"12345"
    with pytest.raises(TooLargeError):
        _read(content_type, [body], max_bytes=4)
