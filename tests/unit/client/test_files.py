"""Local files on their way into a lake."""

import hashlib
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.client import UploadError
from airflow_provider_lake.client.transfers import files
from airflow_provider_lake.client.transfers.files import open_file
from airflow_provider_lake.client.transfers.storage import PART_SIZE, part_ranges


def _read_all(
    path: Path, start: int, length: int | None, head: bytes, tail: bytes, block: int, is_hashed: bool
) -> tuple[int, bytes, bytes]:
    with open_file(str(path)) as file:
        body = file.body(start, length, head, tail, is_hashed=is_hashed)
        whole = body.all()
        content = whole if isinstance(whole, bytes) else b"".join(iter(lambda: body.read(block), b""))
        return len(body), content, body.digest()


@given(
    content=st.binary(min_size=1, max_size=300),
    head=st.binary(max_size=20),
    tail=st.binary(max_size=20),
    block=st.integers(1, 64),
    is_small=st.booleans(),
    is_hashed=st.booleans(),
    data=st.data(),
)
def test_a_body_is_head_bytes_and_tail(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    head: bytes,
    tail: bytes,
    block: int,
    is_small: bool,
    is_hashed: bool,
    data: st.DataObject,
) -> None:
    """Whatever part of a file is read, at once or in blocks, its length, its bytes and the file's digest are right."""
    path = tmp_path_factory.mktemp("files") / "file"
    path.write_bytes(content)
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.none() | st.integers(0, len(content) - start))
    part = content[start : None if length is None else start + length]
    expected = head + part + tail

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "SMALL_SIZE", files.SMALL_SIZE if is_small else 0)
        read = _read_all(path, start, length, head, tail, block, is_hashed)
    assert read == (len(expected), expected, hashlib.md5(part, usedforsecurity=False).digest())


@given(st.integers(1, 5 * PART_SIZE))
def test_parts_cover_a_file_without_gap(size: int) -> None:
    """Parts follow each other from the first byte to the last, all full but the last."""
    ranges = list(part_ranges(size))

    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(end == start for (_, end), (start, _) in pairwise(ranges))
    assert {end - start for start, end in ranges[:-1]} <= {PART_SIZE}


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """The error names the path and what is wrong with it; a pipe is not waited for."""
    empty, pipe = tmp_path / "empty", tmp_path / "pipe"
    empty.touch()
    os.mkfifo(pipe)
    wrong = {
        empty: "is empty",
        pipe: "is no regular file",
        tmp_path: "is a folder",
        tmp_path / "missing": "No such file or directory",
        tmp_path / ("x" * 300): "File name too long",
    }
    for path, reason in wrong.items():
        with pytest.raises(UploadError) as caught, open_file(str(path)):
            pass
        assert (caught.value.path, caught.value.message) == (str(path), reason)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """What would be stored is neither the old nor the new file."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(UploadError, match="changed while it was read"), open_file(str(path)):
        path.write_bytes(b"newer")


@pytest.mark.parametrize("size", [10, files.SMALL_SIZE + 1])
def test_no_file_is_left_open(tmp_path: Path, size: int) -> None:
    """Neither after it was sent nor after that went wrong: uploads are many."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def open_and_fail() -> None:
        with open_file(str(path)):
            raise ZeroDivisionError

    with open_file(str(path)) as file:
        assert file.stream.read(1) == b"x"
        assert _times_open(path) == 1
    assert _times_open(path) == 0
    with pytest.raises(ZeroDivisionError):
        open_and_fail()
    assert _times_open(path) == 0


def _times_open(path: Path) -> int:
    return sum(descriptor.resolve() == path.resolve() for descriptor in Path("/proc/self/fd").iterdir())


def test_a_file_system_may_give_less_than_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those over a network may; a file that ends too early has changed."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    read = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: read(descriptor, min(size, 7)))
    with open_file(str(path)) as file:
        assert file.content == bytes(range(100))

    given = iter([b"x" * 40, b""])
    monkeypatch.setattr(os, "read", lambda _descriptor, _size: next(given))
    with pytest.raises(UploadError, match="changed while it was read"), open_file(str(path)):
        pass


def test_a_file_that_shrinks_is_noticed_at_once(tmp_path: Path) -> None:
    """The announced length cannot be kept any more."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * (files.SMALL_SIZE + 1))

    def shrink_and_read() -> None:
        with open_file(str(path)) as file:
            body = file.body()
            os.truncate(path, 10)
            assert body.read(10) == b"x" * 10
            body.read(10)

    with pytest.raises(UploadError, match="became shorter"):
        shrink_and_read()


def _rewrite(path: Path) -> None:
    path.write_bytes(b"new")
    os.utime(path, (1, 1))


def test_a_file_whose_bytes_changed_alone_is_refused(tmp_path: Path) -> None:
    """Its size is the same; its time tells."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(UploadError, match="changed while it was read"), open_file(str(path)):
        _rewrite(path)
